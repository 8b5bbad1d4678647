import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { displayPath } from '../../../shared/display.ts';
import type { RootInfo } from '../../../shared/model.ts';
import { fileName } from '../../data/paths.ts';
import { useQuery } from '../../data/query.ts';
import { formatRoute } from '../../data/route.ts';
import { Icon } from '../../parts/icon.tsx';
import { formatCount, strings } from '../../strings.ts';

type TreeProps = { roots: readonly RootInfo[]; rootId: number | null; folder: string };

/** The roots and their folders; a folder is read when it is opened. */
export function FolderTree({ roots, rootId, folder }: TreeProps): VNode {
  return (
    <nav class="tree" aria-label={strings.files.tree}>
      <ul>
        <li>
          <a href={formatRoute('files')} aria-current={rootId === null ? 'page' : undefined}>
            <Icon name="stack" size={16} />
            <span class="cut">{strings.files.top}</span>
          </a>
        </li>
        {roots.map((root) => (
          <Folder
            key={root.rootId}
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
  readonly rootId: number;
  readonly path: string;
  readonly name: string;
  readonly files: number;
  /** The chosen folder of this root; null when another root is chosen. */
  readonly current: string | null;
};

function Folder({ rootId, path, name, files, current }: FolderProps): VNode {
  const isCurrent = current === path;
  const holdsCurrent = current !== null && (path === '' || current === path || current.startsWith(`${path}/`));
  const [open, setOpen] = useState(holdsCurrent);
  useEffect(() => {
    if (holdsCurrent) setOpen(true);
  }, [holdsCurrent]);
  const { data } = useQuery('files.tree', open ? { rootId, folder: path } : null, ['activity']);
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
          href={formatRoute('files', { root: String(rootId), folder: path })}
          aria-current={isCurrent ? 'page' : undefined}
          title={shown}
        >
          <span class="cut">{shown}</span>
          <span class="small muted numbers">{formatCount(files)}</span>
        </a>
      </div>
      {open && data !== undefined && data.folders.length > 0 ? (
        <ul>
          {data.folders.map((one) => (
            <Folder
              key={one.path}
              rootId={rootId}
              path={one.path}
              name={one.name}
              files={one.files}
              current={current}
            />
          ))}
        </ul>
      ) : null}
    </li>
  );
}
