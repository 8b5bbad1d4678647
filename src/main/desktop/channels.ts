/** The two channels between the window and the program. */
export const CALL_CHANNEL = 'angles:call';
export const EVENT_CHANNEL = 'angles:event';
