import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { MethodOutput } from '../../../shared/contract.ts';
import { displayPath } from '../../../shared/display.ts';
import { fileName } from '../../data/paths.ts';
import { useQuery } from '../../data/query.ts';
import { formatRoute } from '../../data/route.ts';
import { Icon } from '../../parts/icon.tsx';
import { formatCount, strings } from '../../strings.ts';
import { backupText } from '../../strings-backups.ts';

type TreeProps = {
  readonly id: string;
  readonly roots: MethodOutput<'backups.show'>['roots'];
  readonly rootId: number | null;
  readonly folder: string;
};

/** The folders of a backup; each is read when it is opened. */
export function BackupTree({ id, roots, rootId, folder }: TreeProps): VNode {
  return (
    <nav class="tree" aria-label={backupText.inside.tree}>
      <ul>
        <li>
          <a href={formatRoute('backups', { id })} aria-current={rootId === null ? 'page' : undefined}>
            <Icon name="stack" size={16} />
            <span class="cut">{strings.files.top}</span>
          </a>
        </li>
        {roots.map((root) => (
          <Folder
            key={root.rootId}
            id={id}
            rootId={root.rootId}
            path=""
            name={fileName(root.path)}
            files={root.files}
            current={rootId === root.rootId ? folder : null}
          />
        ))}
      </ul>
    </nav>
  );
}

type FolderProps = {
  readonly id: string;
  readonly rootId: number;
  readonly path: string;
  readonly name: string;
  readonly files: number | null;
  /** The chosen folder of this root; null when another root is chosen. */
  readonly current: string | null;
};

function Folder({ id, rootId, path, name, files, current }: FolderProps): VNode {
  const holdsCurrent = current !== null && (path === '' || current === path || current.startsWith(`${path}/`));
  const [open, setOpen] = useState(holdsCurrent);
  useEffect(() => {
    if (holdsCurrent) setOpen(true);
  }, [holdsCurrent]);
  const { data } = useQuery('backups.browse', open ? { id, rootId, path } : null);
  const folders = data?.entries.filter((entry) => entry.kind === 'folder') ?? [];
  const shown = displayPath(name);
  return (
    <li>
      <div class="tree-row">
        <button
          type="button"
          class="tree-toggle"
          aria-expanded={open}
          aria-label={shown}
          onClick={() => setOpen(!open)}
        >
          <Icon name={open ? 'down' : 'right'} size={14} />
        </button>
        <a
          href={formatRoute('backups', { id, root: String(rootId), folder: path })}
          aria-current={current === path ? 'page' : undefined}
          title={shown}
        >
          <span class="cut">{shown}</span>
          {files === null ? null : <span class="small muted numbers">{formatCount(files)}</span>}
        </a>
      </div>
      {open && folders.length > 0 ? (
        <ul>
          {folders.map((one) => (
            <Folder
              key={one.path}
              id={id}
              rootId={rootId}
              path={one.path}
              name={one.name}
              files={null}
              current={current}
            />
          ))}
        </ul>
      ) : null}
    </li>
  );
}
