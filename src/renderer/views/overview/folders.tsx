import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { AgentStatus } from '../../../shared/contract.ts';
import { displayPath, displayText, formatBytes } from '../../../shared/display.ts';
import { useApp } from '../../app-context.ts';
import { fileName, folderOf } from '../../data/paths.ts';
import { formatRoute } from '../../data/route.ts';
import { Badge, Button, useTell } from '../../parts/basics.tsx';
import { rootLooks } from '../../parts/looks.ts';
import { plural, strings } from '../../strings.ts';

/** The watched folders with their state. */
export function Folders({ status }: { status: AgentStatus }): VNode {
  const { client, go } = useApp();
  const tell = useTell();
  const [busy, setBusy] = useState(false);
  const text = strings.overview;
  const scan = (): void => {
    setBusy(true);
    client
      .call('scan.run', {})
      .then(({ results }) => {
        const changed = results.reduce((sum, one) => sum + one.created + one.modified + one.renamed + one.deleted, 0);
        tell.ok(text.scanned(changed));
      }, tell.fail)
      .finally(() => setBusy(false));
  };
  return (
    <section class="card">
      <header class="card-head">
        <h2>{text.folders}</h2>
        <Button kind="quiet" icon="working" busy={busy} onClick={scan}>
          {text.scan}
        </Button>
      </header>
      <ul class="folder-list">
        {status.roots.map((root) => {
          const look = rootLooks[root.state];
          return (
            <li key={root.rootId}>
              <a href={formatRoute('files', { root: String(root.rootId) })}>
                <span class="folder-name wrap">{displayPath(fileName(root.path))}</span>
                <Badge tone={look.tone} icon={look.icon}>
                  {strings.rootStates[root.state]}
                </Badge>
                <span class="path small muted wrap">{displayPath(folderOf(root.path))}</span>
                <span class="small muted">
                  {plural(root.files, 'file')}, {formatBytes(root.sizeBytes)}
                  {root.skipped > 0 ? `, ${text.skipped(root.skipped)}` : ''}
                </span>
                {root.reason === null || root.hold !== null ? null : (
                  <span class="small folder-reason wrap">{displayText(root.reason)}</span>
                )}
              </a>
            </li>
          );
        })}
      </ul>
      <Button kind="quiet" icon="plus" onClick={() => go(formatRoute('settings', { add: '1' }))}>
        {text.addFolder}
      </Button>
    </section>
  );
}
