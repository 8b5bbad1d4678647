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
    if (connection.session !== null) await client.realtime.setAuth(await connection.session.token(null));
    if (isStopped) return;
    let joining = client.channel('angles');
    for (const table of tables)
      joining = joining.on('postgres_changes', { event: '*', schema: 'public', table }, () => onHint());
    // What changed while the channel was not joined was not heard: each joining is a hint, too.
    channel = joining.subscribe((status) => {
      if (status === 'SUBSCRIBED' && !isStopped) onHint();
    });
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
