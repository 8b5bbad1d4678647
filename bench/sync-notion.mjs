/**
 * How much of the allowed rate the connector to Notion uses: against the stand-in, which allows three requests a second
 * on average as the documentation says, and answers as late as the real service does.
 */
import { performance } from 'node:perf_hooks';
import {
  connectNotion,
  createNotionConnector,
  createNotionDatabases,
} from '../src/main/sync/notion/notion-connector.ts';
import { startNotion } from '../test/support/notion/start.ts';

const ALLOWED_PER_SECOND = 3;
/** What a request to Notion commonly takes. */
const ANSWER_MS = 300;
/** Requests that a service which allows three a second lets pass at once. */
const BURST = 3;

/** Pushes `records` new decisions at the allowed rate; the rows are in the form of `bench/run.mjs`. */
export async function syncNotion(records = 60) {
  const notion = await startNotion();
  try {
    const signal = new AbortController().signal;
    const options = { token: notion.token, baseUrl: notion.baseUrl };
    const { pageId } = await notion.call('plainPage', { title: 'Bench' });
    const databases = await createNotionDatabases(
      connectNotion({ ...options, perSecond: 100 }),
      ['decision_vault'],
      pageId,
      signal,
    );
    await notion.rate({ kind: 'average', perSecond: ALLOWED_PER_SECOND, burst: BURST, retryAfterS: 1 });
    await notion.fault({ kind: 'delay', delayMs: ANSWER_MS, times: 1_000_000 });
    await notion.call('clearLog');
    const connector = createNotionConnector({ ...options, databases });
    const started = performance.now();
    for (let done = 0; done < records; done += connector.batchSize()) {
      const batch = Array.from({ length: Math.min(connector.batchSize(), records - done) }, (_, index) =>
        outgoing(done + index),
      );
      const outcomes = await connector.push(batch, signal);
      const failed = outcomes.find(({ kind }) => kind !== 'done');
      if (failed) throw new Error(`a push was not done: ${JSON.stringify(failed)}`);
    }
    const seconds = (performance.now() - started) / 1000;
    const log = await notion.log();
    const refused = log.filter(({ status }) => status === 429).length;
    const allowedSeconds = log.length / ALLOWED_PER_SECOND;
    return [
      { name: `Notion: ${records} new records, requests`, value: log.length, unit: 'requests' },
      { name: 'Notion: records a second', value: records / seconds, unit: '/s' },
      {
        name: 'Notion: time against that of the allowed rate',
        value: seconds / allowedSeconds,
        unit: 'x',
        limit: 1.05,
        ok: seconds / allowedSeconds <= 1.05,
      },
      { name: 'Notion: answers 429', value: refused, unit: 'answers', limit: 0, ok: refused === 0 },
    ];
  } finally {
    await notion.stop();
  }
}

function outgoing(index) {
  const hex = index.toString(16).padStart(12, '0');
  return {
    table: 'decision_vault',
    id: `0198c0de-0000-7000-8000-${hex}`,
    remoteId: null,
    base: null,
    baseVersion: null,
    content: null,
    fields: {
      title: `Decision ${index}`,
      decision: `# Context\n\nWhy number ${index} was taken.\n\n- one\n- two`,
      type: 'architecture',
      category: 'bench',
      status: 'accepted',
      priority: 'medium',
      tags: ['bench'],
      date: '2026-11-24',
      sourcePath: null,
      sourceSha256: null,
      supersedes: null,
      deletedAtMs: null,
    },
  };
}
