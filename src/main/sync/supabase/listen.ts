import type { RealtimeChannel } from '@supabase/supabase-js';
import type { SupabaseConnection } from './client.ts';

/**
 * Calls back when rows change over there, by the realtime channel of the project. A mere hint: it may be late, doubled
 * or missing (realtime off, table not published); it joins again by itself and never throws. Returns how to stop.
 */
export function listenForChanges(
  connection: SupabaseConnection,
  tables: readonly string[],
  onHint: () => void,
): () => void {
  let channel: RealtimeChannel | null = null;
  let isStopped = false;
  const start = async (): Promise<void> => {
    const client = await connection.client();
    if (isStopped) return;
    // Realtime asks for the token itself, at each joining.
    if (connection.session !== null) await client.realtime.setAuth();
    if (isStopped) return;
    let joining = client.channel('angles');
    for (const table of tables)
      joining = joining.on('postgres_changes', { event: '*', schema: 'public', table }, () => onHint());
    // What changed while the subscription did not stand was not heard: each time that it stands is a hint, too. It
    // stands when the system says so; the channel is joined a moment earlier.
    channel = joining
      .on('system', {}, (said: { status?: unknown }) => {
        if (said.status === 'ok' && !isStopped) onHint();
      })
      .subscribe();
  };
  // Nothing depends on it: without realtime, changes are found by pulling on schedule.
  start().catch(() => undefined);
  return () => {
    isStopped = true;
    const own = channel;
    channel = null;
    if (own === null) return;
    void connection
      .client()
      .then((client) => client.removeChannel(own))
      .catch(() => undefined);
  };
}
