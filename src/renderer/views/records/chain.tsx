import type { VNode } from 'preact';
import { displayText } from '../../../shared/display.ts';
import type { EditableRecord } from '../../../shared/model.ts';
import { useQuery } from '../../data/query.ts';
import { formatRoute } from '../../data/route.ts';
import { strings } from '../../strings.ts';
import { RecordBadges, viewOf } from './records.tsx';

const text = strings.records;
const DEEPEST = 20;

/** What this record replaced, and what replaced it, oldest first. */
export function Chain({ record, supersededBy }: { record: EditableRecord; supersededBy: string | null }): VNode | null {
  if (record.supersedes === null && supersededBy === null) return null;
  return (
    <section class="card">
      <h2>{text.chain}</h2>
      <ol class="chain">
        {record.supersedes === null ? null : (
          <Neighbour table={record.table} id={record.supersedes} direction="older" depth={0} />
        )}
        <li aria-current="true">
          <span class="small muted">{text.chainThis}</span>
          <strong class="wrap">{displayText(record.title)}</strong>
          <RecordBadges record={record} />
        </li>
        {supersededBy === null ? null : (
          <Neighbour table={record.table} id={supersededBy} direction="newer" depth={0} />
        )}
      </ol>
    </section>
  );
}

type NeighbourProps = {
  readonly table: EditableRecord['table'];
  readonly id: string;
  readonly direction: 'older' | 'newer';
  readonly depth: number;
};
/** One step of the chain, and from it the next, until its end. */
function Neighbour({ table, id, direction, depth }: NeighbourProps): VNode | null {
  const { data } = useQuery('records.show', { table, id });
  if (data === undefined) return null;
  const { record } = data;
  const nextId = direction === 'older' ? record.supersedes : data.supersededBy;
  const next =
    nextId === null || depth >= DEEPEST ? null : (
      <Neighbour table={table} id={nextId} direction={direction} depth={depth + 1} />
    );
  return (
    <>
      {direction === 'older' ? next : null}
      <li>
        <span class="small muted">{direction === 'older' ? text.chainOlder : text.chainNewer}</span>
        <a class="wrap" href={formatRoute(viewOf(table), { id: record.id })}>
          {displayText(record.title)}
        </a>
        <RecordBadges record={record} />
      </li>
      {direction === 'newer' ? next : null}
    </>
  );
}
