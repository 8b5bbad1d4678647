/** The connection test: step by step, each in words a person can act on. */
import { lookup } from 'node:dns/promises';
import { connect as connectTcp, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { z } from 'zod';
import { AppError, ERROR_CATALOGUE } from '../../../shared/errors.ts';
import type { CheckStep } from '../connector.ts';
import { checkDatabases } from './new-databases.ts';
import type { NotionApi } from './notion-api.ts';
import { nameOf, type Sources, wrongType } from './sources.ts';
import { type NotionTable, TABLE_SPECS } from './table-specs.ts';
import { userShape } from './wire.ts';

type Step = Pick<CheckStep, 'id' | 'title'>;
type Found = { readonly detail: string; readonly verdict?: 'ok' | 'warning' | 'skipped'; readonly fix?: string };

const CONNECT_MS = 10_000;

function socketStep(connect: () => ReturnType<typeof connectTcp>, event: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect();
    const limit = AbortSignal.any([signal, AbortSignal.timeout(CONNECT_MS)]);
    const end = (error: Error | null): void => {
      limit.removeEventListener('abort', aborted);
      socket.destroy();
      if (error) reject(error);
      else resolve();
    };
    const aborted = (): void => end(new Error(`no answer within ${CONNECT_MS / 1000} s`));
    limit.addEventListener('abort', aborted);
    socket.once(event, () => end(null));
    socket.once('error', end);
  });
}

const failure = (step: Step, cause: unknown, fallback: string, canPrepare = false): CheckStep => {
  const known = cause instanceof AppError ? cause : null;
  const code = known?.code ?? 'remote.unreachable';
  return {
    ...step,
    verdict: 'failed',
    detail: `${cause instanceof Error ? cause.message : String(cause)}. ${ERROR_CATALOGUE[code].meaning}`,
    fix: known?.hint ?? fallback,
    canPrepare,
    code,
  };
};

/** Runs steps in order until one fails. A step gives what it found, or several steps of its own. */
async function* inOrder(
  steps: readonly {
    readonly step: Step;
    readonly fix: string;
    readonly run: () => Promise<Found | readonly CheckStep[]>;
  }[],
): AsyncGenerator<CheckStep> {
  for (const { step, fix, run } of steps) {
    let found: Found | readonly CheckStep[];
    try {
      found = await run();
    } catch (cause) {
      yield failure(step, cause, fix);
      return;
    }
    if ('detail' in found) {
      yield {
        ...step,
        verdict: found.verdict ?? 'ok',
        detail: found.detail,
        fix: found.fix ?? null,
        canPrepare: false,
        code: null,
      };
      continue;
    }
    yield* found;
    if (found.some(({ verdict }) => verdict === 'failed')) return;
  }
}

/** One step a property, so that each is named with its type. */
async function properties(sources: Sources, table: NotionTable, signal: AbortSignal): Promise<CheckStep[]> {
  const { mapping, missing, wrong } = await sources.map(table, signal);
  const step = (name: string): Step => ({
    id: `schema.${table}.${name}`,
    title: `Property "${name}" of ${TABLE_SPECS[table].title}`,
  });
  return [
    ...[...mapping.byField.values()].map(
      ({ name, type }): CheckStep => ({
        ...step(name),
        verdict: 'ok',
        detail: `It is there, of type ${type}.`,
        fix: null,
        canPrepare: false,
        code: null,
      }),
    ),
    ...missing.map(
      ({ name, spec }): CheckStep => ({
        ...step(name),
        verdict: 'failed',
        detail: `It is missing. ${ERROR_CATALOGUE['remote.schema'].meaning}`,
        fix: `Let Angles create it, or add a property "${name}" of type ${spec.types[0]} in Notion.`,
        canPrepare: true,
        code: 'remote.schema',
      }),
    ),
    ...wrong.map(({ name, found, spec }) => failure(step(name), wrongType(table, name, found, spec.types[0]), '')),
  ];
}

export type CheckContext = {
  readonly api: NotionApi;
  readonly sources: Sources;
  readonly baseUrl: string;
  /** Tables that are to get a database. */
  readonly wanted: readonly NotionTable[];
};

/** See {@link Connector.check}. */
export async function checkConnection(
  { api, sources, baseUrl, wanted }: CheckContext,
  signal: AbortSignal,
): Promise<CheckStep[]> {
  const url = URL.parse(baseUrl);
  if (!url) {
    const step = { id: 'address', title: 'Address' };
    const wrong = new AppError('remote.unreachable', `"${baseUrl}" is not an address`, {
      hint: 'Correct NOTION_BASE_URL, or remove it.',
    });
    return [failure(step, wrong, '')];
  }
  const secure = url.protocol === 'https:';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port || (secure ? 443 : 80));
  const steps: CheckStep[] = [];
  const network = 'Check the network connection, a proxy or a firewall.';
  const run = inOrder([
    {
      step: { id: 'dns', title: 'Look up the address' },
      fix: network,
      run: async () => ({ detail: `${host} is ${(await lookup(host)).address}.` }),
    },
    {
      step: { id: 'tcp', title: 'Connect' },
      fix: network,
      run: async () => {
        await socketStep(() => connectTcp({ host, port }), 'connect', signal);
        return { detail: `Port ${port} answers.` };
      },
    },
    {
      step: { id: 'tls', title: 'Encrypted connection' },
      fix: 'Something between this machine and Notion breaks encryption: look at the clock, a proxy or a virus scanner.',
      run: async () => {
        if (!secure) return { detail: 'The address is not https: nothing is encrypted.', verdict: 'skipped' };
        await socketStep(
          () => connectTls({ host, port, ...(isIP(host) ? {} : { servername: host }) }),
          'secureConnect',
          signal,
        );
        return { detail: 'The certificate is valid.' };
      },
    },
    {
      step: { id: 'key', title: 'Token' },
      fix: 'Create a token at notion.so/profile/integrations and set NOTION_API_KEY.',
      run: async () => {
        const me = await api.call('asking who we are', userShape, (client) => client.users.me({}), signal);
        return { detail: `It is accepted, as "${me.name ?? me.id}".` };
      },
    },
    ...sources.tables.flatMap((table) => [
      {
        step: { id: `shared.${table}`, title: `Database for ${TABLE_SPECS[table].title.toLowerCase()}` },
        fix: 'Open the database in Notion, choose "Connections" in its menu and add the connection.',
        run: async () => ({
          detail: `"${nameOf(await sources.dataSource(table, signal))}" is shared with the connection.`,
        }),
      },
      {
        step: { id: `permission.${table}`, title: `Write to ${TABLE_SPECS[table].title.toLowerCase()}` },
        fix: 'Give the connection the capabilities to read, insert and update content.',
        // A change of nothing: it is refused like a real one when the connection may not write.
        run: async () => {
          const id = await sources.dataSourceId(table, signal);
          await api.call(
            'testing the right to write',
            z.looseObject({ object: z.literal('data_source') }),
            (client) => client.dataSources.update({ data_source_id: id, properties: {} }),
            signal,
          );
          return { detail: 'The connection may update it.' };
        },
      },
      {
        step: { id: `schema.${table}`, title: `Properties of ${TABLE_SPECS[table].title}` },
        fix: '',
        run: () => properties(sources, table, signal),
      },
    ]),
    {
      step: { id: 'databases', title: 'Other databases' },
      fix: network,
      run: () => checkDatabases(api, sources, wanted, signal),
    },
  ]);
  for await (const step of run) steps.push(step);
  return steps;
}
