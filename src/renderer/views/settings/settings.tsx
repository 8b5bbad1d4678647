import type { VNode } from 'preact';
import type { MethodOutput } from '../../../shared/contract.ts';
import { displayPath, displayText } from '../../../shared/display.ts';
import { useQuery } from '../../data/query.ts';
import type { Route } from '../../data/route.ts';
import { sectionsOf } from '../../data/setting-values.ts';
import { Badge, ErrorCard, Fix, Skeleton, ViewHead } from '../../parts/basics.tsx';
import { Icon } from '../../parts/icon.tsx';
import { strings } from '../../strings.ts';
import { servicesText } from '../../strings-services.ts';
import { ServiceCards } from '../services/service-cards.tsx';
import { RootSettings } from './root-settings.tsx';
import { SettingRow } from './setting-row.tsx';

const text = strings.settings;
export type SettingsData = MethodOutput<'settings.show'>;

/** Every setting with its value, source and default; the folders; what the environment gives. */
export function SettingsView({ route }: { route: Route }): VNode {
  const { data, error, reload } = useQuery('settings.show', {}, ['settings']);
  return (
    <div class="view settings">
      <ViewHead
        title={strings.views.settings}
        lead={data === undefined ? undefined : <span class="wrap">{text.lead(displayPath(data.file))}</span>}
      />
      {error === null ? null : <ErrorCard error={error} onRetry={reload} />}
      {data?.warnings.map((warning) => (
        <section key={warning.message} class="card attention-card">
          <Icon name="alert" size={22} />
          <div class="stack">
            <h2 class="wrap">{displayText(warning.message)}</h2>
            <Fix text={warning.fix} />
          </div>
        </section>
      ))}
      <RootSettings focusAdd={route.params.add !== undefined} />
      <section class="card" aria-labelledby="services">
        <div>
          <h2 id="services">{servicesText.title}</h2>
          <p class="muted">{servicesText.lead}</p>
        </div>
        <ServiceCards level={3} />
      </section>
      {data === undefined ? (
        error === null ? (
          <Skeleton rows={10} tall />
        ) : null
      ) : (
        <>
          {sectionsOf(data.values).map((section) => (
            <section key={section.name} class="card" aria-labelledby={`section-${section.name}`}>
              <h2 id={`section-${section.name}`}>{text.sections[section.name] ?? section.name}</h2>
              {section.values.map((setting) => (
                <SettingRow key={setting.key} setting={setting} onSaved={reload} />
              ))}
            </section>
          ))}
          <Off off={data.off} />
          <Environment environment={data.environment} />
        </>
      )}
    </div>
  );
}

function Off({ off }: { off: SettingsData['off'] }): VNode | null {
  if (off.length === 0) return null;
  return (
    <section class="card">
      <h2>{text.off}</h2>
      <ul class="plain-list">
        {off.map((one) => (
          <li key={one.part} class="off-line">
            <Icon name="off" />
            <div>
              <strong>{one.part}</strong>
              <p class="muted">{displayText(one.consequence)}</p>
              <p class="small muted">
                {text.missing}{' '}
                {one.missing.map((name) => (
                  <code key={name}>{name} </code>
                ))}
              </p>
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Environment({ environment }: { environment: SettingsData['environment'] }): VNode {
  return (
    <section class="card">
      <h2>{text.environment}</h2>
      <p class="muted">{text.environmentText}</p>
      <table class="table">
        <thead>
          <tr>
            <th scope="col">{text.environmentColumns.name}</th>
            <th scope="col">{text.environmentColumns.state}</th>
            <th scope="col">{text.environmentColumns.enables}</th>
          </tr>
        </thead>
        <tbody>
          {environment.map((one) => (
            <tr key={one.name}>
              <th scope="row">
                <code class="wrap">{one.name}</code>
              </th>
              <td>
                <Badge tone={one.source === null ? 'neutral' : 'ok'} icon={one.source === null ? 'off' : 'check'}>
                  {one.source === null ? text.notSet : text.set}
                </Badge>
                {one.source === null ? null : (
                  <span class="small muted">
                    {' '}
                    {text.from[one.source]}
                    {one.foundAs === null || one.foundAs === one.name ? '' : ` ${text.as(one.foundAs)}`}
                    {one.value === null ? '' : `: ${displayText(one.value)}`}
                  </span>
                )}
              </td>
              <td class="muted">{one.enables}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
