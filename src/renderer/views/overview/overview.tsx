import type { VNode } from 'preact';
import type { AgentStatus } from '../../../shared/contract.ts';
import { formatBytes, formatDuration } from '../../../shared/display.ts';
import { useApp } from '../../app-context.ts';
import { useQuery } from '../../data/query.ts';
import { formatRoute } from '../../data/route.ts';
import { formatWhen } from '../../data/time.ts';
import { useProgress, useStatus } from '../../data/use-status.ts';
import { Button, Empty, ErrorCard, Skeleton, useNow, When } from '../../parts/basics.tsx';
import { Icon } from '../../parts/icon.tsx';
import { formatCount, strings } from '../../strings.ts';
import { Attention } from './attention.tsx';
import { BackupCard, Needs, Remotes } from './elsewhere.tsx';
import { Folders } from './folders.tsx';
import { ProgressPanel } from './progress-panel.tsx';
import { Recent } from './recent.tsx';

const text = strings.overview;

/** Am I safe? Since when? What waits? What is next? What must I do? */
export function OverviewView(): VNode {
  const { data: status, error, reload } = useStatus();
  const progress = useProgress(status);
  const backup = useQuery('backups.status', {}, ['backups']).data;
  if (status === undefined) {
    return (
      <div class="view">
        <h1 class="visually-hidden" tabIndex={-1}>
          {strings.views.overview}
        </h1>
        {error === null ? <Skeleton rows={9} tall /> : <ErrorCard error={error} onRetry={reload} />}
      </div>
    );
  }
  return (
    <div class="view overview">
      <Hero status={status} />
      <Attention status={status} />
      <Needs sync={status.sync} backup={backup} />
      {progress.size > 0 ? <ProgressPanel progress={[...progress.values()]} /> : null}
      <Totals status={status} />
      {status.roots.length === 0 ? <NoFolder /> : null}
      <div class="columns">
        <div class="stack wide">
          <Recent status={status} />
        </div>
        <div class="stack">
          <Folders status={status} />
          <Waiting status={status} />
          <Next status={status} />
          <Remotes sync={status.sync} />
          <BackupCard status={backup} />
        </div>
      </div>
    </div>
  );
}

const HERO_ICONS = { safe: 'safe', working: 'working', attention: 'alert' } as const;

function Hero({ status }: { status: AgentStatus }): VNode {
  const nowMs = useNow();
  const { verdict, summary, sinceMs } = status.safety;
  const { lastCaptureAtMs } = status;
  return (
    <section class={`hero hero-${verdict}`} aria-labelledby="hero-title">
      <span class="hero-emblem">
        <Icon name={HERO_ICONS[verdict]} size={40} />
      </span>
      <div class="hero-text">
        <p class="eyebrow">{text.verdicts[verdict]}</p>
        <div role="status">
          <h1 id="hero-title" tabIndex={-1}>
            {summary}
          </h1>
        </div>
        <p class="hero-facts">
          {sinceMs === null ? null : (
            <span>{text.since(formatWhen(sinceMs, nowMs), formatDuration(Math.max(0, nowMs - sinceMs)))}</span>
          )}
          {verdict === 'working' ? <span>{text.notYet}</span> : null}
          <span>
            {lastCaptureAtMs === null ? (
              text.noCapture
            ) : (
              <>
                {text.lastCapture} <When timeMs={lastCaptureAtMs} ago />
              </>
            )}
          </span>
        </p>
      </div>
    </section>
  );
}

function Totals({ status }: { status: AgentStatus }): VNode {
  const { totals } = status;
  const items = [
    { label: text.totals.files, value: formatCount(totals.files), href: formatRoute('files') },
    { label: text.totals.versions, value: formatCount(totals.snapshots), href: formatRoute('activity') },
    {
      label: text.totals.records,
      value: formatCount(totals.decisions + totals.memories),
      href: formatRoute('decisions'),
    },
    {
      label: text.totals.stored,
      value: formatBytes(totals.storedBytes),
      href: formatRoute('health'),
      note: text.ofOriginal(formatBytes(totals.sizeBytes)),
    },
  ];
  return (
    <ul class="totals">
      {items.map((item) => (
        <li key={item.label}>
          <a href={item.href}>
            <strong>{item.value}</strong>
            <span>{item.label}</span>
            {item.note === undefined ? null : <span class="small muted">{item.note}</span>}
          </a>
        </li>
      ))}
    </ul>
  );
}

function Waiting({ status }: { status: AgentStatus }): VNode {
  const lines = [
    status.waiting.capture > 0 ? text.waitsCapture(status.waiting.capture) : null,
    status.waiting.index > 0 ? text.waitsIndex(status.waiting.index) : null,
    ...status.outbox.flatMap((one) => [
      one.pending + one.leased > 0 ? text.waitsRemote(one.pending + one.leased, text.remoteNames[one.remote]) : null,
      one.parked > 0 ? text.parkedRemote(one.parked, text.remoteNames[one.remote]) : null,
    ]),
  ].filter((line) => line !== null);
  return (
    <section class="card">
      <h2>{text.waits}</h2>
      {lines.length === 0 ? (
        <p class="muted">{text.nothingWaits}</p>
      ) : (
        <ul class="plain-list">
          {lines.map((line) => (
            <li key={line} class="row">
              <Icon name="clock" size={16} />
              {line}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Next({ status }: { status: AgentStatus }): VNode {
  return (
    <section class="card">
      <h2>{text.next}</h2>
      {status.next.length === 0 ? (
        <p class="muted">{text.nothingNext}</p>
      ) : (
        <ul class="plain-list">
          {status.next.map((one) => (
            <li key={one.what} class="row between">
              <span>{one.what}</span>
              <span class="muted nowrap">{one.atMs === null ? text.now : <When timeMs={one.atMs} ago />}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function NoFolder(): VNode {
  const { go } = useApp();
  return (
    <Empty icon="files" title={text.noFolder} text={text.noFolderText}>
      <Button kind="primary" icon="plus" onClick={() => go(formatRoute('settings', { add: '1' }))}>
        {text.addFolder}
      </Button>
    </Empty>
  );
}
