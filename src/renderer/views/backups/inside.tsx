import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { MethodOutput } from '../../../shared/contract.ts';
import type { BackupEntryView, BackupItem } from '../../../shared/contract-backup.ts';
import { displayPath, displayText, formatBytes, formatDuration } from '../../../shared/display.ts';
import { useApp } from '../../app-context.ts';
import { type Chosen, isChosen, toggleChosen } from '../../data/backup-view.ts';
import { fileName, trailOf } from '../../data/paths.ts';
import { useQuery } from '../../data/query.ts';
import { changeParams, formatRoute, type Route } from '../../data/route.ts';
import { formatFull } from '../../data/time.ts';
import { Badge, Button, Empty, ErrorCard, Skeleton, useTell, ViewHead } from '../../parts/basics.tsx';
import { TextField, useSettled } from '../../parts/fields.tsx';
import { Icon } from '../../parts/icon.tsx';
import { VirtualList } from '../../parts/virtual-list.tsx';
import { backupText } from '../../strings-backups.ts';
import { BackupTree } from './backup-tree.tsx';
import { CompareDialog } from './compare-dialog.tsx';
import { EntryRow } from './entry-row.tsx';
import { BackupBadges } from './timeline.tsx';

const text = backupText.inside;
const FOUND_AT_MOST = 500;

type InsideProps = {
  readonly backup: BackupItem;
  readonly roots: MethodOutput<'backups.show'>['roots'];
  readonly route: Route;
  readonly name: string;
  readonly back: VNode;
  readonly chosen: readonly Chosen[];
  readonly onChoose: (chosen: readonly Chosen[]) => void;
  /** `atOnce`: with the plan for a folder beside, without asking where to first. */
  readonly onRestore: (entries: readonly Chosen[], atOnce: boolean) => void;
};

/** What a backup holds: folders as a tree, files as a list, a search over both, each file against how it is now. */
export function Inside(props: InsideProps): VNode {
  const { backup, roots, route, chosen, onChoose, onRestore } = props;
  const { go, replace } = useApp();
  const [query, setQuery] = useState(route.params.q ?? '');
  const settled = useSettled(query.trim(), 150);
  const [opened, setOpened] = useState<BackupEntryView | null>(null);
  const rootId = route.params.root === undefined ? null : Number(route.params.root);
  const folder = route.params.folder ?? '';
  const listed = useEntries(backup.id, rootId, folder, settled);
  const open = (entry: BackupEntryView): void => {
    if (entry.kind !== 'folder') setOpened(entry);
    else {
      setQuery('');
      go(formatRoute('backups', { id: backup.id, root: String(entry.rootId), folder: entry.path }));
    }
  };
  return (
    <div class="view full">
      {props.back}
      <ViewHead title={text.title(props.name)} lead={<BackupFacts backup={backup} />}>
        <VerifyButton backup={backup} />
        <Button kind={chosen.length === 0 ? 'primary' : 'plain'} icon="restore" onClick={() => onRestore([], false)}>
          {backupText.restoreAll}
        </Button>
      </ViewHead>
      <div class="filters">
        <TextField
          label={text.search}
          hideLabel
          type="search"
          placeholder={text.search}
          value={query}
          onInput={(value) => {
            setQuery(value);
            replace(changeParams(route, { q: value.trim() }));
          }}
        />
        <ChosenBar chosen={chosen} onClear={() => onChoose([])} onRestore={() => onRestore(chosen, false)} />
      </div>
      <div class="split">
        <BackupTree id={backup.id} roots={roots} rootId={settled === '' ? rootId : null} folder={folder} />
        <div class="split-main">
          {settled === '' ? (
            <Trail id={backup.id} rootId={rootId} folder={folder} roots={roots} />
          ) : listed.entries === undefined ? null : (
            <p class="small muted" role="status">
              {text.results(listed.entries.length, listed.hasMore)}
            </p>
          )}
          {listed.error !== null ? <ErrorCard error={listed.error} onRetry={listed.reload} /> : null}
          {listed.entries === undefined ? (
            listed.error === null ? (
              <Skeleton rows={10} />
            ) : null
          ) : listed.entries.length === 0 ? (
            settled === '' ? (
              <Empty icon="files" title={text.emptyFolder} text={text.emptyFolderText} />
            ) : (
              <Empty icon="search" title={text.none(displayText(settled))} text={text.noneText} />
            )
          ) : (
            <VirtualList
              key={`${rootId} ${folder} ${settled === ''}`}
              class="panel"
              label={text.list}
              items={listed.entries}
              rowHeight={52}
              keyOf={(entry) => `${entry.rootId} ${entry.path}`}
              onOpen={open}
              render={(entry) => <EntryRow entry={entry} whole={settled !== ''} />}
              choosing={{
                isChosen: (entry) => isChosen(chosen, entry),
                toggle: (entry) => onChoose(toggleChosen(chosen, entry)),
                labelOf: (entry) => text.choose(displayPath(fileName(entry.name))),
              }}
            />
          )}
        </div>
      </div>
      {opened === null ? null : (
        <CompareDialog
          id={backup.id}
          entry={opened}
          onClose={() => setOpened(null)}
          onRestore={() => onRestore([opened], true)}
        />
      )}
    </div>
  );
}

type Listed = {
  readonly entries: readonly BackupEntryView[] | undefined;
  readonly hasMore: boolean;
  readonly error: unknown;
  readonly reload: () => void;
};
/** A folder, or what a search found. */
function useEntries(id: string, rootId: number | null, folder: string, query: string): Listed {
  const browsed = useQuery(
    'backups.browse',
    query !== '' ? null : { id, ...(rootId === null ? {} : { rootId, path: folder }) },
  );
  const found = useQuery(
    'backups.search',
    query === '' ? null : { id, text: query.slice(0, 200), limit: FOUND_AT_MOST },
  );
  return query === ''
    ? { entries: browsed.data?.entries, hasMore: false, error: browsed.error, reload: browsed.reload }
    : { entries: found.data?.entries, hasMore: found.data?.hasMore ?? false, error: found.error, reload: found.reload };
}

function BackupFacts({ backup }: { backup: BackupItem }): VNode {
  return (
    <span class="row tight">
      <span>{formatFull(backup.createdAtMs)}</span>
      <span>
        {backupText.files(backup.files)}, {formatBytes(backup.sizeBytes)}
      </span>
      <BackupBadges backup={backup} />
      {backup.tag === null ? null : <Badge tone="accent">{displayText(backup.tag)}</Badge>}
    </span>
  );
}

function VerifyButton({ backup }: { backup: BackupItem }): VNode {
  const { client } = useApp();
  const tell = useTell();
  const [busy, setBusy] = useState(false);
  const verify = (): void => {
    setBusy(true);
    client
      .call('backups.verify', { id: backup.id })
      .then(
        ({ objects, durationMs }) => tell.ok(backupText.verifiedNow(objects, formatDuration(durationMs))),
        tell.fail,
      )
      .finally(() => setBusy(false));
  };
  return (
    <Button icon="check" busy={busy} onClick={verify}>
      {busy ? backupText.verifying : backupText.verify}
    </Button>
  );
}

type BarProps = { chosen: readonly Chosen[]; onClear: () => void; onRestore: () => void };
function ChosenBar({ chosen, onClear, onRestore }: BarProps): VNode {
  return (
    <>
      <p class="muted grow" role="status">
        {text.chosen(chosen.length)}
      </p>
      {chosen.length === 0 ? null : (
        <>
          <Button kind="quiet" onClick={onClear}>
            {text.clear}
          </Button>
          <Button kind="primary" icon="restore" onClick={onRestore}>
            {backupText.restoreChosen(chosen.length)}
          </Button>
        </>
      )}
    </>
  );
}

type TrailProps = { id: string; rootId: number | null; folder: string; roots: InsideProps['roots'] };
function Trail({ id, rootId, folder, roots }: TrailProps): VNode | null {
  const root = roots.find((one) => one.rootId === rootId);
  if (root === undefined) return null;
  const place = (path: string): string => formatRoute('backups', { id, root: String(root.rootId), folder: path });
  return (
    <nav class="trail" aria-label={text.folder}>
      <a href={place('')}>{displayPath(fileName(root.path))}</a>
      {trailOf(folder).map((step) => (
        <span key={step.path} class="row tight">
          <Icon name="right" size={13} />
          <a href={place(step.path)}>{displayPath(step.name)}</a>
        </span>
      ))}
    </nav>
  );
}
