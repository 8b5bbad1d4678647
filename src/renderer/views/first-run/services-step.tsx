import type { VNode } from 'preact';
import { displayPath } from '../../../shared/display.ts';
import { useApp } from '../../app-context.ts';
import { useQuery } from '../../data/query.ts';
import { useStatus } from '../../data/use-status.ts';
import { Badge, Button, CopyButton, useTell } from '../../parts/basics.tsx';
import { strings } from '../../strings.ts';
import type { StepProps } from './first-run.tsx';

const text = strings.firstRun;

/** Services that can be added later, each with where its key comes from and the names it is set under. */
export const SERVICES = [
  {
    id: 'supabase',
    page: 'https://supabase.com/dashboard/project/_/settings/api-keys',
    names: ['SUPABASE_URL', 'SUPABASE_KEY'],
  },
  { id: 'notion', page: 'https://www.notion.so/my-integrations', names: ['NOTION_API_KEY', 'NOTION_DATABASE_ID'] },
  { id: 'github', page: 'https://github.com/settings/personal-access-tokens', names: ['GITHUB_TOKEN', 'GITHUB_REPO'] },
] as const;

/** Everything works without them: cards to come back to. */
export function ServicesStep({ onNext }: StepProps): VNode {
  const { client } = useApp();
  const tell = useTell();
  const settings = useQuery('settings.show', {}, ['settings']).data;
  const folder = useStatus().data?.dataFolder ?? '';
  const isSet = (name: string): boolean =>
    settings?.environment.some((one) => one.name === name && one.foundAs !== null) ?? false;
  return (
    <div class="stack">
      <p>{text.servicesText}</p>
      <ul class="first-services">
        {SERVICES.map(({ id, page, names }) => {
          const words = text.services[id];
          const isReady = names.every(isSet);
          return (
            <li key={id} class="card">
              <div class="row between">
                <h2>{words.name}</h2>
                <Badge tone={isReady ? 'ok' : 'neutral'} icon={isReady ? 'check' : 'off'}>
                  {isReady ? text.isSet : text.later}
                </Badge>
              </div>
              <p class="muted">{words.what}</p>
              <details>
                <summary>{text.how}</summary>
                <ol>
                  <li>{words.get}</li>
                  <li>
                    {text.put(displayPath(`${folder}/.env`))}
                    <pre>{names.map((name) => `${name}=`).join('\n')}</pre>
                    <CopyButton text={names.map((name) => `${name}=\n`).join('')} />
                  </li>
                  <li>{text.takesEffect}</li>
                </ol>
                {client.desktop === null ? (
                  <CopyButton text={page} label={text.copyAddress} />
                ) : (
                  <Button onClick={() => void client.desktop?.call('desktop.openLink', { url: page }).catch(tell.fail)}>
                    {text.openPage}
                  </Button>
                )}
              </details>
            </li>
          );
        })}
      </ul>
      <div class="row">
        <Button kind="primary" icon="check" onClick={onNext}>
          {text.finish}
        </Button>
      </div>
    </div>
  );
}
