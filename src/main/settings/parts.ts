import type { Remote } from '../../shared/model.ts';
import type { EnvironmentKey, Settings } from '../../shared/settings.ts';
import type { FoundEnvironment } from './environment.ts';

/** A part of the program that is off for want of a setting; `missing` says what to set. */
export type OffPart = { readonly part: string; readonly missing: string[]; readonly consequence: string };

type Part = {
  readonly part: string;
  readonly needs: readonly EnvironmentKey[];
  /** The switches in config.json, each as it must read for the part to be on. */
  readonly switches: readonly { readonly text: string; readonly isOn: (settings: Settings) => boolean }[];
  readonly consequence: string;
  readonly remote?: Remote;
};

const PARTS: readonly Part[] = [
  {
    part: 'Sync with Supabase',
    needs: ['SUPABASE_URL', 'SUPABASE_KEY'],
    switches: [{ text: 'sync.supabase_enabled = true', isOn: (settings) => settings.sync.supabase_enabled }],
    consequence: 'Captures and records stay on this machine, complete and searchable; nothing waits for Supabase.',
    remote: 'supabase',
  },
  {
    part: 'Sync with Notion',
    needs: ['NOTION_API_KEY', 'NOTION_DATABASE_ID'],
    switches: [{ text: 'sync.notion_enabled = true', isOn: (settings) => settings.sync.notion_enabled }],
    consequence: 'Decisions and memories are not shown in Notion; nothing waits for it.',
    remote: 'notion',
  },
  {
    part: 'Creating the Supabase tables',
    needs: ['SUPABASE_DB_URL'],
    switches: [],
    consequence: 'The tables of Supabase have to be made by hand.',
  },
  {
    part: 'Pushing backups to GitHub',
    needs: ['GITHUB_TOKEN', 'GITHUB_REPO'],
    switches: [],
    consequence: 'No backup leaves this machine.',
  },
  {
    part: 'AI analysis',
    needs: ['OPENAI_API_KEY'],
    switches: [{ text: 'ai.enabled = true', isOn: (settings) => settings.ai.enabled }],
    consequence: 'Records are what you write; no content is sent to an AI service.',
  },
  {
    part: 'Alerts in Slack',
    needs: ['SLACK_WEBHOOK_URL'],
    switches: [
      { text: 'notifications.slack_enabled = true', isOn: (settings) => settings.notifications.slack_enabled },
    ],
    consequence: 'Alerts appear in the log and the dashboard, not in Slack.',
  },
  {
    part: 'Alerts by e-mail',
    needs: ['SMTP_SERVER', 'EMAIL_RECIPIENT'],
    switches: [
      { text: 'notifications.email_enabled = true', isOn: (settings) => settings.notifications.email_enabled },
    ],
    consequence: 'Alerts appear in the log and the dashboard, not as e-mail.',
  },
];

/** The parts that are off, each with everything that it still needs. */
export function offParts(found: FoundEnvironment, settings: Settings): OffPart[] {
  return PARTS.flatMap((part) => {
    const missing = missingFor(part, found, settings);
    return missing.length === 0 ? [] : [{ part: part.part, missing, consequence: part.consequence }];
  });
}

/** The remotes that have their keys and are not switched off. */
export function configuredRemotes(found: FoundEnvironment, settings: Settings): Remote[] {
  return PARTS.flatMap((part) =>
    part.remote !== undefined && missingFor(part, found, settings).length === 0 ? [part.remote] : [],
  );
}

function missingFor(part: Part, found: FoundEnvironment, settings: Settings): string[] {
  return [
    ...part.needs.filter((name) => !found.has(name)),
    ...part.switches.filter((one) => !one.isOn(settings)).map((one) => one.text),
  ];
}
