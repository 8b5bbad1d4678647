import type { VNode } from 'preact';
import type { ScheduleEntry } from '../../../shared/contract-ops.ts';
import { displayText } from '../../../shared/display.ts';
import { rhythmOf, rhythmText, waitsFor } from '../../../shared/schedule-words.ts';
import { useQuery } from '../../data/query.ts';
import { formatRoute } from '../../data/route.ts';
import { upcomingOf } from '../../data/schedule-view.ts';
import { Badge, ErrorCard, Skeleton, ViewHead, When } from '../../parts/basics.tsx';
import { Icon } from '../../parts/icon.tsx';
import { type Look, outcomeLooks, scheduleLooks } from '../../parts/looks.ts';
import { strings } from '../../strings.ts';
import { scheduleText as text } from '../../strings-health.ts';
import '../../styles/schedule.css';

const UPCOMING = 4;

/** What runs by itself: how often, when last and how it went, when next. */
export function ScheduleView(): VNode {
  const { data, error, reload } = useQuery('schedule.list', {}, ['status', 'backups', 'sync', 'settings']);
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return (
    <div class="view">
      <ViewHead title={strings.views.schedule} lead={text.lead}>
        <a class="button plain" href={formatRoute('settings')}>
          <Icon name="settings" size={16} />
          <span>{text.change}</span>
        </a>
      </ViewHead>
      {error === null ? null : <ErrorCard error={error} onRetry={reload} />}
      {data === undefined ? (
        error === null ? (
          <Skeleton rows={8} tall />
        ) : null
      ) : (
        <>
          <Upcoming entries={data.entries} nowMs={data.nowMs} />
          <ul class="schedule" aria-label={text.list}>
            {data.entries.map((entry) => (
              <EntryRow key={entry.id} entry={entry} nowMs={data.nowMs} />
            ))}
          </ul>
          <p class="small muted">
            {text.zone(zone)} {text.others}
          </p>
        </>
      )}
    </div>
  );
}

/** The next few things in the order in which they come. */
function Upcoming({ entries, nowMs }: { entries: readonly ScheduleEntry[]; nowMs: number }): VNode | null {
  const upcoming = upcomingOf(entries, UPCOMING);
  if (upcoming.length === 0) return null;
  return (
    <ol class="upcoming" aria-label={strings.overview.next}>
      {upcoming.map(({ id, atMs }) => (
        <li key={id}>
          <strong>
            <Moment atMs={atMs} nowMs={nowMs} ago />
          </strong>
          <span class="small muted">{text.entries[id].name}</span>
        </li>
      ))}
    </ol>
  );
}

/** A time that is past is due now. */
function Moment({ atMs, nowMs, ago = false }: { atMs: number; nowMs: number; ago?: boolean }): VNode {
  return atMs <= nowMs ? <span>{text.now}</span> : <When timeMs={atMs} ago={ago} />;
}

function EntryRow({ entry, nowMs }: { entry: ScheduleEntry; nowMs: number }): VNode {
  const words = text.entries[entry.id];
  const look: Look = scheduleLooks[entry.state];
  const waits = waitsFor(entry);
  const [first, ...later] = entry.nextAtMs;
  return (
    <li class={`card schedule-entry schedule-${entry.state}`}>
      <div class="schedule-what">
        <div class="row between">
          <h2>{words.name}</h2>
          <Badge tone={look.tone} icon={look.icon}>
            {text.states[entry.state]}
          </Badge>
        </div>
        <p class="small">{rhythmText(rhythmOf(entry))}</p>
        <p class="small muted">{words.what}</p>
        {entry.reason === null ? null : <p class="small schedule-reason wrap">{displayText(entry.reason)}</p>}
      </div>
      <dl class="schedule-times small">
        <div>
          <dt>{text.last}</dt>
          <dd>
            {entry.lastAtMs === null ? (
              <span class="muted">{text.never}</span>
            ) : (
              <>
                <When timeMs={entry.lastAtMs} />
                {entry.lastOutcome === null ? null : <Outcome outcome={entry.lastOutcome} />}
              </>
            )}
          </dd>
        </div>
        {entry.state === 'off' ? null : (
          <div>
            <dt>{text.next}</dt>
            <dd>
              {first === undefined ? (
                <span class="muted">
                  {waits === 'change' ? text.onChange : waits === 'first_backup' ? text.afterFirst : text.never}
                </span>
              ) : (
                <Moment atMs={first} nowMs={nowMs} />
              )}
            </dd>
          </div>
        )}
        {later.length === 0 || entry.state === 'off' ? null : (
          <div>
            <dt>{text.later}</dt>
            <dd class="muted">
              {later.map((atMs, index) => (
                <span key={atMs}>
                  {index > 0 ? ' · ' : ''}
                  <When timeMs={atMs} />
                </span>
              ))}
            </dd>
          </div>
        )}
      </dl>
    </li>
  );
}

function Outcome({ outcome }: { outcome: 'ok' | 'failed' }): VNode {
  const look = outcomeLooks[outcome];
  return (
    <span class={`schedule-outcome tone-${look.tone}`}>
      <Icon name={look.icon} size={14} />
      {text.outcomes[outcome]}
    </span>
  );
}
