import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { MethodOutput } from '../../../shared/contract.ts';
import { displayText, formatBytes } from '../../../shared/display.ts';
import type { Snapshot } from '../../../shared/model.ts';
import { useQuery } from '../../data/query.ts';
import { Button, Empty, ErrorCard, Skeleton, When } from '../../parts/basics.tsx';
import { Segments } from '../../parts/fields.tsx';
import { strings } from '../../strings.ts';

const text = strings.file;
const LINES_AT_ONCE = 3_000;

type DiffPaneProps = { path: string; snapshot: Snapshot; before: Snapshot | null; newest: Snapshot };

/** What a version changed against the one before, or what happened since. */
export function DiffPane({ path, snapshot, before, newest }: DiffPaneProps): VNode {
  const [wanted, setWanted] = useState<'before' | 'newest'>('before');
  const isNewest = newest.snapshotId === snapshot.snapshotId;
  const against = isNewest || wanted === 'before' ? 'before' : 'newest';
  const [from, to] = against === 'before' ? [before, snapshot] : [snapshot, newest];
  const comparable = from !== null && from.sha256 !== null && to.sha256 !== null;
  const { data, error, reload } = useQuery(
    'files.diff',
    comparable ? { path, from: { snapshotId: from.snapshotId }, to: { snapshotId: to.snapshotId } } : null,
  );
  return (
    <div class="stack">
      {isNewest ? null : (
        <Segments
          label={text.against}
          value={against}
          choices={[
            { value: 'before', label: text.before },
            { value: 'newest', label: text.current },
          ]}
          onChange={(value) => setWanted(value === 'newest' ? 'newest' : 'before')}
        />
      )}
      {!comparable ? (
        <Empty
          icon="diff"
          title={text.changes}
          text={to.sha256 === null || from !== null ? text.deleted : text.firstVersion}
        />
      ) : data === undefined ? (
        error === null ? (
          <Skeleton rows={14} />
        ) : (
          <ErrorCard error={error} onRetry={reload} />
        )
      ) : (
        <Diff diff={data} />
      )}
    </div>
  );
}

function Diff({ diff }: { diff: MethodOutput<'files.diff'> }): VNode {
  if (!diff.comparable) return <BinaryDiff diff={diff} />;
  if (diff.hunks.length === 0) return <Empty icon="diff" title={text.changes} text={text.same} />;
  return (
    <>
      <p class="small muted numbers">
        <When timeMs={diff.from.capturedAtMs} seconds /> → <When timeMs={diff.to.capturedAtMs} seconds />
        {`: ${text.summary(diff.added, diff.removed)}`}
      </p>
      <Hunks hunks={diff.hunks} />
    </>
  );
}

/** Changed lines with their context; a very long comparison is shown in portions. */
export function Hunks({ hunks }: { hunks: MethodOutput<'files.diff'>['hunks'] }): VNode {
  const [shown, setShown] = useState(LINES_AT_ONCE);
  let left = shown;
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by key */}
      <section class="diff panel" tabIndex={0} aria-label={text.changes}>
        {hunks.map((hunk, index) => {
          const lines = hunk.lines.slice(0, Math.max(0, left));
          left -= hunk.lines.length;
          if (lines.length === 0) return null;
          return (
            <div
              key={`${hunk.lines[0]?.before ?? 0} ${hunk.lines[0]?.after ?? 0}`}
              class={index > 0 ? 'hunk next' : 'hunk'}
            >
              {lines.map((line) => (
                <DiffLine key={`${line.kind} ${line.before ?? ''} ${line.after ?? ''}`} line={line} />
              ))}
            </div>
          );
        })}
      </section>
      {left < 0 ? <Button onClick={() => setShown(shown + LINES_AT_ONCE)}>{strings.frame.more}</Button> : null}
    </>
  );
}

type Line = MethodOutput<'files.diff'>['hunks'][number]['lines'][number];
const SIGNS = { same: ' ', added: '+', removed: '−' } as const;
function DiffLine({ line }: { line: Line }): VNode {
  return (
    <div class={`diff-line ${line.kind}`}>
      <span class="diff-number" aria-hidden="true">
        {line.before ?? ''}
      </span>
      <span class="diff-number" aria-hidden="true">
        {line.after ?? ''}
      </span>
      <span class="diff-sign">{SIGNS[line.kind]}</span>
      <span class="diff-text">{displayText(line.text)}</span>
    </div>
  );
}

function BinaryDiff({ diff }: { diff: MethodOutput<'files.diff'> }): VNode {
  return (
    <div class="card">
      <p>{text.binary}</p>
      <dl class="facts">
        {[diff.from, diff.to].map((one) => (
          <div key={one.snapshotId}>
            <dt>
              <When timeMs={one.capturedAtMs} />
            </dt>
            <dd>
              {formatBytes(one.sizeBytes)} <code class="small wrap">{one.sha256 ?? ''}</code>
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
