import { z } from 'zod';
import { AppError } from '../../../shared/errors.ts';
import type { SupabaseConnection } from './client.ts';
import { decodeText, encodeText } from './wire-text.ts';
import { timeFromWire } from './wire-time.ts';

export type DeviceReport = {
  readonly name: string;
  readonly platform: string;
  readonly version: string;
  /** What it has not sent yet, by remote. */
  readonly unsent: Readonly<Record<string, number>>;
};

export type RemoteDevice = DeviceReport & {
  readonly deviceId: string;
  readonly isThis: boolean;
  /** By the clock of the server. */
  readonly firstSeenAtMs: number;
  readonly lastSeenAtMs: number;
};

export type Devices = {
  /** Says that this device is there, and what it holds. Safe to repeat. */
  readonly report: (report: DeviceReport, signal: AbortSignal) => Promise<void>;
  /** Every device of this project that this user sees, the one seen last first. */
  readonly list: (signal: AbortSignal) => Promise<readonly RemoteDevice[]>;
};

const time = z.string().transform((text, context) => {
  const ms = timeFromWire(text);
  if (ms !== null) return ms;
  context.addIssue('is no time');
  return z.NEVER;
});
const text = z.string().transform(decodeText);
const rows = z.array(
  z.object({
    id: z.string(),
    name: text,
    platform: text,
    version: text,
    unsent: z.record(z.string(), z.number()).catch({}),
    first_seen_at: time,
    last_seen_at: time,
  }),
);

export function createSupabaseDevices(parts: {
  readonly connection: SupabaseConnection;
  readonly deviceId: string;
}): Devices {
  const { connection, deviceId } = parts;
  return {
    report: async ({ name, platform, version, unsent }, signal) => {
      const args = {
        p_id: deviceId,
        p_name: encodeText(name),
        p_platform: platform,
        p_version: version,
        p_unsent: unsent,
      };
      await connection.call('angles_device_seen', args, signal);
    },
    list: async (signal) => {
      const data = await connection.table(
        'devices',
        (query) => query.select('*').order('last_seen_at', { ascending: false }).limit(1_000),
        signal,
      );
      const parsed = rows.safeParse(data);
      if (!parsed.success)
        throw new AppError('remote.bad_answer', 'The list of devices is of another form.', { retryable: true });
      return parsed.data.map((row) => ({
        deviceId: row.id,
        isThis: row.id === deviceId,
        name: row.name,
        platform: row.platform,
        version: row.version,
        unsent: row.unsent,
        firstSeenAtMs: row.first_seen_at,
        lastSeenAtMs: row.last_seen_at,
      }));
    },
  };
}
