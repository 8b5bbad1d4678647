/** The sample data: a week of a person who plans a release. The demo fills a vault with it, and docs/images show it. */
import type { MethodInput } from '../shared/contract.ts';

export type SampleFolder = 'notes' | 'atlas';
export type SampleFile = readonly [folder: SampleFolder, path: string, text: string];
type Fields<T> = Extract<MethodInput<'records.create'>, { table: T }>['fields'];
export type SampleDay = {
  readonly time: string;
  readonly files: readonly SampleFile[];
  readonly decisions?: readonly Fields<'decision_vault'>[];
  readonly memories?: readonly Fields<'memories'>[];
};
export type SampleConflict = {
  /** Of its decision. */
  readonly title: string;
  readonly field: string;
  readonly kind: 'edit';
  readonly mine: string;
  readonly theirs: string;
  readonly base: string;
  readonly mineEditedAtMs: number;
  readonly theirsEditedAtMs: number;
  readonly winner: 'mine' | 'theirs';
  readonly reason: null;
};

/** The present of the sample; everything in it was before. */
export const SAMPLE_NOW_MS = Date.parse('2026-11-21T10:44:00Z');

const plan = (steps: readonly string[], notesBelow: readonly string[]): string => `# Release plan for Atlas 2.0

Owner: Mira. Reviewed each Monday.

## Goal
Teams can move their notes from any tool into Atlas without losing an edit.

## Steps
${steps.map((step) => `- ${step}`).join('\n')}

## Risks
${notesBelow.map((risk) => `- ${risk}`).join('\n')}
`;

/** What a person did in a week: each day some files, and what was decided. */
export const WEEK: readonly SampleDay[] = [
  {
    time: '2026-11-16T09:12:00Z',
    files: [
      [
        'notes',
        'release-plan.md',
        plan(['Freeze the import format', 'Write the migration guide'], ['Old exports without dates']),
      ],
      [
        'notes',
        'meetings/2026-11-16 kickoff.md',
        '# Kickoff\n\nPresent: Mira, Jonas, Ada.\n\n- Import first, sync later.\n- Ada owns the migration guide.\n',
      ],
      [
        'notes',
        'prompts/summarise-meeting.md',
        '# Summarise a meeting\n\nGive five bullet points. Name the owner of every task. Keep decisions apart from ideas.\n',
      ],
      ['notes', 'people.md', '# People\n\n- Jonas: import, prefers short answers\n- Ada: documentation\n'],
      [
        'atlas',
        'architecture.md',
        '# Architecture\n\nOne process writes. Readers open the database read-only.\n\n## Import\nEach tool has a reader; readers know nothing of each other.\n',
      ],
      [
        'atlas',
        'import/markdown.md',
        '# Markdown import\n\nFront matter becomes fields. Unknown fields are kept as they are.\n',
      ],
      [
        'atlas',
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
        'notes',
        'research/import-formats.md',
        '# Import formats\n\n| Tool | Dates | Attachments |\n|---|---|---|\n| Notion | yes | links |\n| Obsidian | front matter | files |\n| Chat exports | last message | none |\n',
      ],
      [
        'notes',
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
        'notes',
        'meetings/2026-11-19 import.md',
        '# Import\n\nThe import keeps the dates of the old tool.\n\nDecided: an import shows its plan first and never overwrites a newer note.\n',
      ],
      [
        'atlas',
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
        'notes',
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
      ['notes', 'drafts/announcement.md', '# Atlas 2.0\n\nBring your notes. All of them, with their dates.\n'],
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

/** Saved on the last day, while the agent watches. */
export const TODAY: readonly SampleFile[] = [
  [
    'notes',
    'meetings/2026-11-21 review.md',
    '# Review\n\nThe import of 20,000 notes took nine minutes.\n\n- Jonas: make the plan readable\n- Ada: first draft of the guide on Tuesday\n',
  ],
  [
    'notes',
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
  ],
];

/** What was changed here and in Notion on one afternoon, by the title of the decision. */
export const CONFLICTS: readonly SampleConflict[] = [
  {
    title: 'Keep dates of the old tool on import',
    field: 'decision',
    kind: 'edit',
    mine: 'An imported note keeps its own dates; the day of the import is kept beside them, and shown in the list.',
    theirs: 'An imported note keeps its own dates. The day of the import is kept beside them, but only in the details.',
    base: 'An imported note keeps its own dates; the day of the import is kept beside them.',
    mineEditedAtMs: Date.parse('2026-11-21T09:12:00Z'),
    theirsEditedAtMs: Date.parse('2026-11-21T09:40:00Z'),
    winner: 'theirs',
    reason: null,
  },
  {
    title: 'Drop attachments above 100 MB from the first import?',
    field: 'priority',
    kind: 'edit',
    mine: 'low',
    theirs: 'high',
    base: 'medium',
    mineEditedAtMs: Date.parse('2026-11-21T10:02:00Z'),
    theirsEditedAtMs: Date.parse('2026-11-21T09:55:00Z'),
    winner: 'mine',
    reason: null,
  },
  {
    title: 'An import shows its plan before it writes',
    field: 'decision',
    kind: 'edit',
    mine: 'Nobody can judge an import afterwards. The plan lists what is added, changed and skipped, and why.',
    theirs:
      'Nobody can judge an import afterwards. The plan lists what is added, changed and skipped; it can be saved.',
    base: 'Nobody can judge an import afterwards. The plan lists what is added, changed and skipped.',
    mineEditedAtMs: Date.parse('2026-11-21T09:20:00Z'),
    theirsEditedAtMs: Date.parse('2026-11-21T09:31:00Z'),
    winner: 'theirs',
    reason: null,
  },
];
