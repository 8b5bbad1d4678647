/** All that a command needs, as one module: each file that the built program loads costs every command 2 to 3 ms. */
export { connect } from '../client.ts';
export { createProcessIo } from './process-io.ts';
export { runCli } from './program.ts';
