/**
 * `npm run pictures`: makes docs/images from the program itself. A real agent captures a week of sample notes in a
 * temporary folder, at times that are set here, and Chromium shows its dashboard. Needs Chromium and a built dashboard.
 */
import { mkdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openAgent } from '../src/main/agent.ts';
import { startServer } from '../src/main/headless/server.ts';
import { programVersion } from '../src/main/headless/version.ts';
import { launchChromium } from '../test/support/chromium.ts';
import { build } from './build.mjs';

const root = join(import.meta.dirname, '..');
const images = join(root, 'docs', 'images');
// A fixed name, so that the pictures show the same paths each time; it must not exist.
const home = join(tmpdir(), 'mira');
const dataFolder = join(home, '.local', 'share', 'angles');
const notes = join(home, 'notes');
const atlas = join(home, 'projects', 'atlas', 'docs');
const MAX_BYTES = 250_000;

let nowMs = 0;
const at = (time) => {
  nowMs = Date.parse(time);
};
const host = {
  dataFolder,
  environment: { HOME: home },
  version: programVersion(),
  shell: 'headless',
  nowMs: () => nowMs,
  notify: () => undefined,
  onPower: () => () => undefined,
};

/** Writes a file as it was a minute before the present of the sample: long enough ago to count as written. */
function save(folder, path, text) {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  utimesSync(file, nowMs / 1_000 - 60, nowMs / 1_000 - 60);
}

const plan = (steps, notesBelow) => `# Release plan for Atlas 2.0

Owner: Mira. Reviewed each Monday.

## Goal
Teams can move their notes from any tool into Atlas without losing an edit.

## Steps
${steps.map((step) => `- ${step}`).join('\n')}

## Risks
${notesBelow.map((risk) => `- ${risk}`).join('\n')}
`;

/** What a person did in a week: each day some files, and what was decided. */
const WEEK = [
  {
    time: '2026-11-16T09:12:00Z',
    files: [
      [
        notes,
        'release-plan.md',
        plan(['Freeze the import format', 'Write the migration guide'], ['Old exports without dates']),
      ],
      [
        notes,
        'meetings/2026-11-16 kickoff.md',
        '# Kickoff\n\nPresent: Mira, Jonas, Ada.\n\n- Import first, sync later.\n- Ada owns the migration guide.\n',
      ],
      [
        notes,
        'prompts/summarise-meeting.md',
        '# Summarise a meeting\n\nGive five bullet points. Name the owner of every task. Keep decisions apart from ideas.\n',
      ],
      [notes, 'people.md', '# People\n\n- Jonas: import, prefers short answers\n- Ada: documentation\n'],
      [
        atlas,
        'architecture.md',
        '# Architecture\n\nOne process writes. Readers open the database read-only.\n\n## Import\nEach tool has a reader; readers know nothing of each other.\n',
      ],
      [
        atlas,
        'import/markdown.md',
        '# Markdown import\n\nFront matter becomes fields. Unknown fields are kept as they are.\n',
      ],
      [
        atlas,
        'import/chat-exports.md',
        '# Chat exports\n\nA conversation becomes one note. The date is that of its last message.\n',
      ],
    ],
    decisions: [
      {
        title: 'Use SQLite for the vault',
        decision: 'One file, one writer, full text search included. A server would need an administrator.',
        type: 'architecture',
        category: 'storage',
        status: 'accepted',
        priority: 'high',
        tags: ['vault', 'storage'],
        date: '2026-11-16',
      },
    ],
  },
  {
    time: '2026-11-17T14:40:00Z',
    files: [
      [
        notes,
        'research/import-formats.md',
        '# Import formats\n\n| Tool | Dates | Attachments |\n|---|---|---|\n| Notion | yes | links |\n| Obsidian | front matter | files |\n| Chat exports | last message | none |\n',
      ],
      [
        notes,
        'release-plan.md',
        plan(
          ['Freeze the import format', 'Write the migration guide', 'Import a real vault of 20,000 notes'],
          ['Old exports without dates', 'Attachments above 100 MB'],
        ),
      ],
    ],
    memories: [
      {
        title: 'Jonas prefers short answers',
        content: 'Three sentences at most; details in a file.',
        kind: 'preference',
        category: 'people',
        tags: ['style'],
      },
    ],
  },
  {
    time: '2026-11-19T08:25:00Z',
    files: [
      [
        notes,
        'meetings/2026-11-19 import.md',
        '# Import\n\nThe import keeps the dates of the old tool.\n\nDecided: an import shows its plan first and never overwrites a newer note.\n',
      ],
      [
        atlas,
        'architecture.md',
        '# Architecture\n\nOne process writes. Readers open the database read-only.\n\n## Import\nEach tool has a reader; readers know nothing of each other.\nAn import is a plan first: what it would add, change and skip.\n',
      ],
    ],
    decisions: [
      {
        title: 'An import shows its plan before it writes',
        decision: 'Nobody can judge an import afterwards. The plan lists what is added, changed and skipped.',
        type: 'product',
        category: 'import',
        status: 'accepted',
        priority: 'high',
        tags: ['import', 'safety'],
        date: '2026-11-19',
      },
      {
        title: 'Keep dates of the old tool on import',
        decision: 'An imported note keeps its own dates; the day of the import is kept beside them.',
        type: 'product',
        category: 'import',
        status: 'accepted',
        priority: 'medium',
        tags: ['import'],
        date: '2026-11-19',
      },
    ],
  },
  {
    time: '2026-11-20T16:05:00Z',
    files: [
      [
        notes,
        'release-plan.md',
        plan(
          [
            'Freeze the import format (done)',
            'Write the migration guide',
            'Import a real vault of 20,000 notes, show the plan first',
            'Ask three teams to try it',
          ],
          ['Old exports without dates: the import asks once for each tool', 'Attachments above 100 MB'],
        ),
      ],
      [notes, 'drafts/announcement.md', '# Atlas 2.0\n\nBring your notes. All of them, with their dates.\n'],
    ],
    decisions: [
      {
        title: 'Drop attachments above 100 MB from the first import?',
        decision: 'Open until we know how many teams have them.',
        type: 'product',
        category: 'import',
        status: 'open',
        priority: 'medium',
        tags: ['import'],
        date: null,
      },
    ],
    memories: [
      {
        title: 'Ada writes the migration guide',
        content: 'Questions about the guide go to Ada first.',
        kind: 'fact',
        category: 'people',
        tags: ['import'],
      },
    ],
  },
];

/** Days without an agent: a command captures what changed, at the time of the sample. */
async function liveThrough({ time, files, decisions = [], memories = [] }) {
  at(time);
  for (const [folder, path, text] of files) save(folder, path, text);
  const agent = await openAgent(host, 'offline');
  await agent.start();
  const { methods } = agent.api;
  const known = (await methods['roots.list']({})).roots.length;
  if (known === 0) for (const path of [notes, atlas]) await methods['roots.add']({ path });
  await methods['scan.run']({});
  for (const fields of decisions) await methods['records.create']({ table: 'decision_vault', fields, origin: 'cli' });
  for (const fields of memories) await methods['records.create']({ table: 'memories', fields, origin: 'dashboard' });
  await agent.stop();
}

/** The last hours with a running agent; returns it, all of it searchable. */
async function today() {
  at('2026-11-21T08:01:00Z');
  const agent = await openAgent(host, 'running');
  await agent.start();
  const { methods } = agent.api;
  await methods['agent.status']({});
  at('2026-11-21T10:41:00Z');
  save(
    notes,
    'meetings/2026-11-21 review.md',
    '# Review\n\nThe import of 20,000 notes took nine minutes.\n\n- Jonas: make the plan readable\n- Ada: first draft of the guide on Tuesday\n',
  );
  save(
    notes,
    'release-plan.md',
    plan(
      [
        'Freeze the import format (done)',
        'Write the migration guide: draft on Tuesday',
        'Import a real vault of 20,000 notes (done, nine minutes)',
        'Make the plan of an import readable',
        'Ask three teams to try it',
      ],
      ['Old exports without dates: the import asks once for each tool', 'Attachments above 100 MB'],
    ),
  );
  await methods['scan.run']({});
  at('2026-11-21T10:44:00Z');
  while ((await methods['agent.status']({})).waiting.index > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  return agent;
}

const SHOTS = {
  overview: async (page) => {
    await page.getByText('Every save is captured.').first().waitFor();
  },
  diff: async (page) => {
    await goTo(page, `#/file?${new URLSearchParams({ path: join(notes, 'release-plan.md'), show: 'changes' })}`);
    await page.getByText('draft on Tuesday').first().waitFor();
  },
  search: async (page) => {
    await goTo(page, '#/search?q=import+plan');
    await page.locator('mark').first().waitFor();
  },
};

const goTo = (page, hash) =>
  page.evaluate((wanted) => {
    location.hash = wanted;
  }, hash);

async function takePictures(browser, makeLink) {
  for (const theme of ['light', 'dark']) {
    const context = await browser.newContext({
      viewport: { width: 1_280, height: 800 },
      colorScheme: theme,
      reducedMotion: 'reduce',
      timezoneId: 'UTC',
    });
    const page = await context.newPage();
    await page.clock.setFixedTime(nowMs);
    await page.goto(makeLink());
    for (const [name, show] of Object.entries(SHOTS)) {
      await show(page);
      await page.waitForFunction(() => document.querySelector('.skeleton') === null);
      const path = join(images, `${name}-${theme}.png`);
      await page.screenshot({ path });
      const { size } = statSync(path);
      if (size > MAX_BYTES) throw new Error(`${path} has ${size} bytes; at most ${MAX_BYTES} are wanted`);
      console.log(`${path} (${Math.round(size / 1_000)} kB)`);
    }
    await context.close();
  }
}

await build(root);
mkdirSync(home);
let agent = null;
let server = null;
let browser = null;
try {
  for (const day of WEEK) await liveThrough(day);
  agent = await today();
  server = await startServer({
    api: agent.api,
    port: 0,
    rendererFolder: join(root, 'out', 'renderer'),
    log: console,
    nowMs: host.nowMs,
  });
  agent.setDashboardUrl(server.url);
  browser = await launchChromium();
  mkdirSync(images, { recursive: true });
  await takePictures(browser, server.makeLink);
} finally {
  await browser?.close();
  await server?.close();
  await agent?.stop();
  rmSync(home, { recursive: true, force: true });
}
