import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { displayPath, formatBytes } from '../../../shared/display.ts';
import type { FileEntry, FileState } from '../../../shared/model.ts';
import { useApp } from '../../app-context.ts';
import { usePages } from '../../data/pages.ts';
import { absolutePath, fileName, folderOf, trailOf } from '../../data/paths.ts';
import { useQuery } from '../../data/query.ts';
import { changeParams, formatRoute, type Route } from '../../data/route.ts';
import { Badge, Button, Empty, ErrorCard, Skeleton, ViewHead, When } from '../../parts/basics.tsx';
import { Chips, Select, TextField, useSettled } from '../../parts/fields.tsx';
import { Icon } from '../../parts/icon.tsx';
import { Cell, VirtualList } from '../../parts/virtual-list.tsx';
import { plural, strings } from '../../strings.ts';
import { HoldCard } from '../overview/attention.tsx';
import { FolderTree } from './folder-tree.tsx';

const text = strings.files;
const PAGE = 500;
const STATES = ['present', 'deleted', 'skipped'] as const satisfies readonly FileState[];

/** Every captured file: a tree of folders beside a list, filtered by glob and state. */
export function FilesView({ route }: { route: Route }): VNode {
  const { client, go, replace } = useApp();
  const roots = useQuery('roots.list', {}, ['status']).data?.roots ?? [];
  const { root = '', folder = '' } = route.params;
  const [glob, setGlob] = useState(route.params.glob ?? '');
  const settledGlob = useSettled(glob.trim(), 150);
  const states = STATES.filter((one) => (route.params.state ?? 'present').split(',').includes(one));
  const order = route.params.order === 'newest' ? 'newest' : 'path';
  const pages = usePages<FileEntry>(
    JSON.stringify([root, folder, settledGlob, states, order]),
    async (cursor) => {
      const answer = await client.call('files.list', {
        limit: PAGE,
        cursor,
        order,
        state: states,
        ...(root === '' ? {} : { rootId: Number(root) }),
        ...(folder === '' ? {} : { under: folder }),
        ...(settledGlob === '' ? {} : { glob: settledGlob }),
      });
      return { items: answer.files, next: answer.next, total: answer.total };
    },
    ['activity'],
  );
  const held = roots.filter((one) => one.hold !== null && String(one.rootId) === root);
  const filtered = settledGlob !== '' || folder !== '' || root !== '' || states.length !== 1;
  const clear = (): void => {
    setGlob('');
    go(formatRoute('files'));
  };

  return (
    <div class="view full">
      <ViewHead title={strings.views.files} lead={text.lead}>
        {pages.total === null ? null : <span class="muted numbers">{text.total(pages.total)}</span>}
      </ViewHead>
      {held.map((one) => (
        <HoldCard key={one.rootId} root={one} />
      ))}
      <div class="filters">
        <TextField label={text.glob} hideLabel type="search" placeholder={text.glob} value={glob} onInput={setGlob} />
        <Chips
          label={text.states}
          choices={STATES.map((value) => ({ value, label: strings.fileStates[value] }))}
          chosen={states}
          onChange={(chosen) =>
            replace(changeParams(route, { state: chosen.length === 0 ? 'present' : chosen.join(',') }))
          }
        />
        <Select
          label={text.orderLabel}
          hideLabel
          value={order}
          choices={[
            { value: 'path', label: text.order.path },
            { value: 'newest', label: text.order.newest },
          ]}
          onChange={(value) => replace(changeParams(route, { order: value === 'path' ? undefined : value }))}
        />
      </div>
      <div class="split">
        <FolderTree roots={roots} rootId={root === '' ? null : Number(root)} folder={folder} />
        <div class="split-main">
          <Trail
            rootName={roots.find((one) => String(one.rootId) === root)?.path ?? null}
            root={root}
            folder={folder}
          />
          {pages.error !== null ? <ErrorCard error={pages.error} onRetry={pages.reload} /> : null}
          {pages.items.length > 0 ? (
            <VirtualList
              class="panel"
              label={text.list}
              items={pages.items}
              total={pages.total}
              rowHeight={52}
              keyOf={(file) => String(file.fileId)}
              onOpen={(file) => go(formatRoute('file', { path: absolutePath(file) }))}
              onNearEnd={pages.readMore}
              render={(file) => <FileRow file={file} />}
            />
          ) : pages.loading ? (
            <Skeleton rows={12} />
          ) : pages.error !== null ? null : filtered ? (
            <Empty icon="files" title={text.none} text={text.noneText}>
              <Button onClick={clear}>{strings.activity.clear}</Button>
            </Empty>
          ) : (
            <Empty icon="files" title={text.empty} text={text.emptyText}>
              <Button kind="primary" icon="plus" onClick={() => go(formatRoute('settings', { add: '1' }))}>
                {strings.overview.addFolder}
              </Button>
            </Empty>
          )}
        </div>
      </div>
    </div>
  );
}

function Trail({ rootName, root, folder }: { rootName: string | null; root: string; folder: string }): VNode {
  return (
    <nav class="trail" aria-label={text.tree}>
      <a href={formatRoute('files')}>{text.top}</a>
      {rootName === null ? null : (
        <>
          <Icon name="right" size={13} />
          <a href={formatRoute('files', { root })}>{displayPath(fileName(rootName))}</a>
        </>
      )}
      {trailOf(folder).map((step) => (
        <span key={step.path} class="row tight">
          <Icon name="right" size={13} />
          <a href={formatRoute('files', { root, folder: step.path })}>{displayPath(step.name)}</a>
        </span>
      ))}
    </nav>
  );
}

function FileRow({ file }: { file: FileEntry }): VNode {
  const folder = folderOf(file.path);
  return (
    <>
      <Cell class="file-cell">
        <Icon name="file" />
        <span class="file-text">
          <span class="cut">{displayPath(fileName(file.path))}</span>
          <span class="cut small muted path">
            {displayPath(fileName(file.root))}
            {folder === '' ? '' : `/${displayPath(folder)}`}
          </span>
        </span>
      </Cell>
      <Cell class="state-cell">
        {file.state === 'present' ? null : (
          <Badge
            tone={file.state === 'deleted' ? 'neutral' : 'warn'}
            icon={file.state === 'deleted' ? 'deleted' : 'alert'}
          >
            {file.reason === null ? strings.fileStates[file.state] : strings.skipReasons[file.reason]}
          </Badge>
        )}
      </Cell>
      <Cell class="numbers small muted cell-versions">{plural(file.versions, 'version')}</Cell>
      <Cell class="numbers small muted cell-size">{formatBytes(file.sizeBytes)}</Cell>
      <Cell class="numbers small muted cell-when">
        <When timeMs={file.capturedAtMs ?? file.mtimeMs} />
      </Cell>
    </>
  );
}
