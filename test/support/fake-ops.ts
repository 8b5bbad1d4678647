/** Figures, a schedule and services of the fake agent: deterministic, as they are on an ordinary or a bad day. */
import type { AgentEvent, AgentMethods } from '../../src/shared/contract.ts';
import type { BackupPointView, HealthPointView, opsMethods, ScheduleEntry } from '../../src/shared/contract-ops.ts';
import { AppError } from '../../src/shared/errors.ts';

export type FakeOpsOptions = {
  readonly nowMs: () => number;
  readonly emit: (event: AgentEvent) => void;
  readonly empty: boolean;
  readonly trouble: boolean;
  /** Notes that outside names were set, so that the settings show it. */
  readonly onSet: (name: string, value: string | null, place: 'keychain' | '.env') => void;
  readonly isSet: (name: string) => boolean;
};

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const SECRET = /KEY|TOKEN|PASSWORD|DB_URL/;

export function createFakeOps(options: FakeOpsOptions): Pick<AgentMethods, keyof typeof opsMethods> {
  const { nowMs, emit, empty, trouble, onSet, isSet } = options;
  let hasRepository = !trouble;
  return {
    'health.series': async ({ spanMs, points: most = 240 }) => {
      const bucketMs = Math.ceil(spanMs / most / MINUTE_MS) * MINUTE_MS;
      const untilMs = nowMs();
      const sinceMs = untilMs - spanMs;
      const firstMs = Math.floor(sinceMs / bucketMs) * bucketMs;
      const count = empty ? 0 : Math.floor((untilMs - firstMs) / bucketMs);
      const points = Array.from({ length: count }, (_, index) => pointAt(firstMs + index * bucketMs, trouble)).filter(
        (one) => !isAsleep(one.atMs),
      );
      return { bucketMs, sinceMs, untilMs, keptMs: 7 * DAY_MS, points, backups: empty ? [] : backupsUntil(untilMs) };
    },
    'schedule.list': async () => ({ nowMs: nowMs(), entries: schedule(nowMs(), empty, trouble) }),
    'environment.set': async ({ values }) => {
      const entries = Object.entries(values);
      for (const [name] of entries)
        if (name === 'OPENAI_API_KEY')
          throw new AppError('config.overridden', `${name} is set in the environment of the agent.`);
      const kept = entries.flatMap(([name, value]) => {
        const place = SECRET.test(name) ? ('keychain' as const) : ('.env' as const);
        onSet(name, value ?? null, place);
        return value === null || value === undefined ? [] : [{ name: name as 'SUPABASE_KEY', in: place }];
      });
      emit({ event: 'settings', payload: {} });
      return { kept };
    },
    'backups.test': async () => {
      if (!isSet('GITHUB_REPO')) return { configured: false, steps: [] };
      const ok = { verdict: 'ok', fix: null, canPrepare: false, code: null } as const;
      const rest = { ...ok, verdict: 'skipped', detail: 'Not looked at: an earlier step failed.' } as const;
      const begin = [
        { ...ok, id: 'reach', title: 'The server can be reached', detail: 'github.com answers.' },
        { ...ok, id: 'token', title: 'The token is accepted', detail: 'It may read the repository.' },
      ];
      if (hasRepository)
        return {
          configured: true,
          steps: [
            ...begin,
            { ...ok, id: 'repository', title: 'The repository is there', detail: 'mira/angles-backup is empty.' },
            { ...ok, id: 'write', title: 'Backups may be written', detail: 'The server takes pushes.' },
            { ...ok, id: 'private', title: 'Nobody else can read it', detail: 'Without the token it shows nothing.' },
          ],
        };
      return {
        configured: true,
        steps: [
          ...begin,
          {
            id: 'repository',
            title: 'The repository is there',
            verdict: 'failed',
            detail: 'The server shows no repository mira/angles-backup to this token.',
            fix: 'Make it, or give the token access to it.',
            canPrepare: true,
            code: 'backup.no_repository',
          },
          { ...rest, id: 'write', title: 'Backups may be written' },
          { ...rest, id: 'private', title: 'Nobody else can read it' },
        ],
      };
    },
    'backups.prepare': async ({ apply }) => {
      if (apply) hasRepository = true;
      return { steps: ['Make the private repository mira/angles-backup.'], applied: apply };
    },
  };
}

/** The machine sleeps at night: nothing is known of these hours. */
const isAsleep = (atMs: number): boolean => {
  const hour = new Date(atMs).getUTCHours();
  return hour >= 1 && hour < 6;
};

function pointAt(atMs: number, trouble: boolean): HealthPointView {
  const minute = Math.floor(atMs / MINUTE_MS);
  const hour = new Date(atMs).getUTCHours() + new Date(atMs).getUTCMinutes() / 60;
  const busy = Math.max(0, Math.sin(((hour - 7) / 12) * Math.PI));
  const noise = (Math.sin(minute * 1.7) + Math.sin(minute * 0.37) + 2) / 4;
  const sent = busy * noise > 0.35 ? Math.round(busy * noise * 14) : 0;
  const isAway = trouble && hour > 9;
  return {
    atMs,
    cpuShare: 0.001 + busy * noise * noise * 0.09,
    memoryBytes: Math.round(78e6 + busy * 26e6 + noise * 5e6),
    queued: isAway ? Math.round((hour - 9) * 22) : Math.round(busy * noise * 5),
    sent: isAway ? 0 : sent,
    latencyMs: sent === 0 || isAway ? null : 380 + noise * 420,
    latencyMaxMs: sent === 0 || isAway ? null : 700 + noise * 1_900,
  };
}

function backupsUntil(untilMs: number): BackupPointView[] {
  return Array.from({ length: 60 }, (_, index) => {
    const written = 40_000 + ((index * 7_919) % 23) * 52_000;
    return {
      atMs: untilMs - (60 - index) * 11 * HOUR_MS,
      durationMs: 420 + ((index * 31) % 17) * 60,
      writtenBytes: written,
      repositoryBytes: 2_400_000 + index * 610_000,
      files: 300 + index * 3,
    };
  });
}

function schedule(nowMs: number, empty: boolean, trouble: boolean): ScheduleEntry[] {
  const entry = (id: ScheduleEntry['id'], more: Partial<ScheduleEntry>): ScheduleEntry => ({
    id,
    state: 'on',
    everyMs: null,
    dailyAt: null,
    timeZone: null,
    lastAtMs: null,
    lastOutcome: empty ? null : 'ok',
    nextAtMs: [],
    reason: null,
    ...more,
  });
  const ago = (ms: number): number | null => (empty ? null : nowMs - ms);
  const threeAm = (Math.floor(nowMs / DAY_MS) + 1) * DAY_MS + 3 * HOUR_MS;
  const days = [threeAm, threeAm + DAY_MS, threeAm + 2 * DAY_MS];
  return [
    entry('backup_changes', {
      state: empty ? 'waiting' : 'on',
      everyMs: 30_000,
      lastAtMs: ago(600_000),
      nextAtMs: empty ? [] : [nowMs + 20_000],
    }),
    entry('backup_daily', { dailyAt: '03:00', timeZone: 'UTC', lastAtMs: ago(6 * HOUR_MS), nextAtMs: days }),
    entry('drill', {
      state: empty ? 'waiting' : 'on',
      everyMs: 7 * DAY_MS,
      lastAtMs: ago(4 * DAY_MS),
      lastOutcome: empty ? null : trouble ? 'failed' : 'ok',
      nextAtMs: empty ? [] : [3, 10, 17].map((day) => nowMs + day * DAY_MS),
    }),
    entry('retention', { dailyAt: '03:00', timeZone: 'UTC', lastAtMs: ago(6 * HOUR_MS), nextAtMs: days }),
    entry('scan', { everyMs: 30 * MINUTE_MS, lastAtMs: ago(9 * MINUTE_MS), nextAtMs: [nowMs + 21 * MINUTE_MS] }),
    entry('sync_supabase', {
      everyMs: HOUR_MS,
      lastAtMs: ago(12 * MINUTE_MS),
      nextAtMs: empty ? [] : [nowMs + 48 * MINUTE_MS],
      ...(empty ? { state: 'off', reason: 'It is not set up.' } : {}),
      ...(trouble ? { state: 'failing', lastOutcome: 'failed', reason: 'The address cannot be reached.' } : {}),
    }),
    entry('sync_notion', { state: 'off', everyMs: HOUR_MS, lastOutcome: null, reason: 'It is not set up.' }),
    entry('tidy', {
      everyMs: DAY_MS,
      lastAtMs: ago(2 * HOUR_MS),
      nextAtMs: [1, 2, 3].map((day) => nowMs - 2 * HOUR_MS + day * DAY_MS),
    }),
  ];
}
