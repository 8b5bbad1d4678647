import type { VNode } from 'preact';
import { displayText, formatBytes } from '../../../shared/display.ts';
import type { Snapshot } from '../../../shared/model.ts';
import { useQuery } from '../../data/query.ts';
import { Empty, ErrorCard, Skeleton } from '../../parts/basics.tsx';
import { strings } from '../../strings.ts';

const text = strings.file;
/** Enough to read; a whole large file belongs into a program for it. */
const SHOWN_BYTES = 400_000;

/** The text of one version. */
export function ContentPane({ path, snapshot }: { path: string; snapshot: Snapshot }): VNode {
  const gone = snapshot.sha256 === null;
  const { data, error, reload } = useQuery(
    'files.show',
    gone ? null : { path, version: { snapshotId: snapshot.snapshotId }, maxBytes: SHOWN_BYTES },
  );
  if (gone) return <Empty icon="deleted" title={strings.changes.deleted} text={text.deleted} />;
  if (data === undefined) return error === null ? <Skeleton rows={14} /> : <ErrorCard error={error} onRetry={reload} />;
  if (data.encoding === 'base64') return <Empty icon="file" title={text.content} text={text.binaryContent} />;
  const shown = displayText(data.content);
  const lines = shown.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return (
    <>
      {data.truncatedAtBytes === null ? null : <p class="note">{text.truncated(formatBytes(data.truncatedAtBytes))}</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by key */}
      <section class="code panel" tabIndex={0} aria-label={text.content}>
        <pre class="code-numbers" aria-hidden="true">
          {lines.map((_, index) => index + 1).join('\n')}
        </pre>
        <pre class="code-text">{lines.join('\n')}</pre>
      </section>
    </>
  );
}
