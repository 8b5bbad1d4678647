import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { displayPath, formatBytes } from '../../../shared/display.ts';
import { ERROR_CATALOGUE } from '../../../shared/errors.ts';
import type { FileEntry, Snapshot } from '../../../shared/model.ts';
import { useApp } from '../../app-context.ts';
import { usePages } from '../../data/pages.ts';
import { absolutePath, fileName, folderOf } from '../../data/paths.ts';
import { changeParams, formatRoute, type Route } from '../../data/route.ts';
import { Badge, Button, CopyButton, Empty, ErrorCard, Fix, Skeleton, ViewHead, When } from '../../parts/basics.tsx';
import { Segments } from '../../parts/fields.tsx';
import { Icon } from '../../parts/icon.tsx';
import { strings } from '../../strings.ts';
import { ContentPane } from './content-pane.tsx';
import { DiffPane } from './diff-pane.tsx';
import { RestoreDialog } from './restore-dialog.tsx';

const text = strings.file;
const PAGE = 200;

/** One file: its versions, what each changed, and the way back to any of them. */
export function FileView({ route }: { route: Route }): VNode {
  const { client, replace } = useApp();
  const { path = '', version = '' } = route.params;
  const [file, setFile] = useState<FileEntry | null>(null);
  const [restoring, setRestoring] = useState(false);
  const pages = usePages<Snapshot>(
    path,
    async (cursor) => {
      const answer = await client.call('files.history', { path, limit: PAGE, cursor });
      setFile(answer.file);
      return { items: answer.snapshots, next: answer.next };
    },
    ['activity'],
  );
  const versions = pages.items;
  const at = Math.max(
    0,
    versions.findIndex((one) => version !== '' && one.snapshotId === version),
  );
  const chosen = versions[at];
  const show = route.params.show === 'changes' ? 'changes' : 'content';

  return (
    <div class="view full">
      <nav class="trail" aria-label={text.back}>
        <a href={formatRoute('files')}>{text.back}</a>
        {file === null ? null : (
          <>
            <Icon name="right" size={13} />
            <a href={formatRoute('files', { root: String(file.rootId), folder: folderOf(file.path) })}>
              {displayPath(folderOf(absolutePath(file)))}
            </a>
          </>
        )}
      </nav>
      <ViewHead
        title={<span class="wrap">{displayPath(fileName(path))}</span>}
        lead={file === null ? undefined : <FileState file={file} />}
      >
        <CopyButton text={path} label={text.copyPath} />
        {chosen === undefined || chosen.sha256 === null ? null : (
          <Button kind="primary" icon="restore" onClick={() => setRestoring(true)}>
            {text.restoreThis}
          </Button>
        )}
      </ViewHead>
      {pages.error !== null ? <ErrorCard error={pages.error} onRetry={pages.reload} /> : null}
      {file?.reason ? <SkippedNote file={file} /> : null}
      {chosen === undefined ? (
        pages.loading ? (
          <Skeleton rows={12} />
        ) : pages.error === null ? (
          <Empty icon="file" title={text.noVersions} text={text.noVersionsText} />
        ) : null
      ) : (
        <div class="split file-split">
          <VersionList
            versions={versions}
            chosen={chosen}
            onChoose={(one) => replace(changeParams(route, { version: one.snapshotId }))}
            more={pages.more ? pages.readMore : null}
          />
          <div class="split-main">
            <div class="row between">
              <Segments
                label={text.view}
                value={show}
                choices={[
                  { value: 'content', label: text.content },
                  { value: 'changes', label: text.changes },
                ]}
                onChange={(value) => replace(changeParams(route, { show: value === 'content' ? undefined : value }))}
              />
            </div>
            {show === 'content' ? (
              <ContentPane path={path} snapshot={chosen} />
            ) : (
              <DiffPane
                path={path}
                snapshot={chosen}
                before={versions[at + 1] ?? null}
                newest={versions[0] ?? chosen}
              />
            )}
          </div>
        </div>
      )}
      {restoring && chosen !== undefined && file !== null ? (
        <RestoreDialog file={file} snapshot={chosen} onClose={() => setRestoring(false)} />
      ) : null}
    </div>
  );
}

function FileState({ file }: { file: FileEntry }): VNode {
  return (
    <span class="row tight">
      {file.state === 'present' ? null : (
        <Badge
          tone={file.state === 'deleted' ? 'neutral' : 'warn'}
          icon={file.state === 'deleted' ? 'deleted' : 'alert'}
        >
          {strings.fileStates[file.state]}
        </Badge>
      )}
      <span class="numbers">{strings.files.versions(file.versions)}</span>
      <span class="numbers">{formatBytes(file.sizeBytes)}</span>
    </span>
  );
}

function SkippedNote({ file }: { file: FileEntry }): VNode | null {
  if (file.reason === null) return null;
  const { title, meaning, fix } = ERROR_CATALOGUE[file.reason];
  return (
    <section class="card attention-card">
      <Icon name="alert" size={22} />
      <div class="stack">
        <h2>{title}</h2>
        <p class="muted">{meaning}</p>
        <Fix text={fix} />
      </div>
    </section>
  );
}

type VersionListProps = {
  readonly versions: readonly Snapshot[];
  readonly chosen: Snapshot;
  readonly onChoose: (snapshot: Snapshot) => void;
  readonly more: (() => void) | null;
};
function VersionList({ versions, chosen, onChoose, more }: VersionListProps): VNode {
  return (
    <section class="versions" aria-label={text.history}>
      <h2>{text.history}</h2>
      <ol>
        {versions.map((one, index) => (
          <li key={one.snapshotId}>
            <button
              type="button"
              class={`version change-${one.change}`}
              aria-current={one === chosen ? 'true' : undefined}
              onClick={() => onChoose(one)}
            >
              <span class="version-dot" />
              <span class="version-text">
                <span class="row between tight">
                  <strong>
                    <When timeMs={one.capturedAtMs} seconds />
                  </strong>
                  {index === 0 ? <Badge tone="accent">{text.newest}</Badge> : null}
                </span>
                <span class="small muted">
                  {strings.changes[one.change]}
                  {one.sha256 === null ? '' : `, ${formatBytes(one.sizeBytes)}`}
                </span>
                {one.previousPath === null ? null : (
                  <span class="small muted wrap">{text.renamedFrom(displayPath(one.previousPath))}</span>
                )}
                {one.stillOpen ? <span class="small muted">{text.stillOpen}</span> : null}
              </span>
            </button>
          </li>
        ))}
      </ol>
      {more === null ? null : (
        <Button kind="quiet" onClick={more}>
          {strings.frame.more}
        </Button>
      )}
    </section>
  );
}
