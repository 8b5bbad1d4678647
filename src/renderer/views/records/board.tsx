import type { VNode } from 'preact';
import { displayText } from '../../../shared/display.ts';
import type { EditableRecord } from '../../../shared/model.ts';
import { formatRoute } from '../../data/route.ts';
import { Badge, When } from '../../parts/basics.tsx';
import { priorityTones, statusLooks } from '../../parts/looks.ts';
import { formatCount, strings } from '../../strings.ts';
import { DECISION_STATUSES } from './records.tsx';

/** Decisions in columns by status. */
export function Board({ records }: { records: readonly EditableRecord[] }): VNode {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by key
    <section class="board" tabIndex={0} aria-label={strings.records.board}>
      {DECISION_STATUSES.map((status) => {
        const column = records.filter((record) => record.status === status);
        return (
          <section key={status} class="board-column" aria-labelledby={`column-${status}`}>
            <h2 id={`column-${status}`}>
              <Badge tone={statusLooks[status].tone} icon={statusLooks[status].icon}>
                {strings.statuses[status]}
              </Badge>
              <span class="small muted numbers">{formatCount(column.length)}</span>
            </h2>
            <ul>
              {column.map((record) => (
                <li key={record.id}>
                  <a class="board-card" href={formatRoute('decisions', { id: record.id })}>
                    <strong class="wrap">{displayText(record.title)}</strong>
                    <span class="board-facts small muted">
                      <span class="cut">{displayText(record.category)}</span>
                      <span class="nowrap">
                        <When timeMs={record.updatedAtMs} ago />
                      </span>
                    </span>
                    {record.table === 'decision_vault' &&
                    (record.priority === 'high' || record.priority === 'critical') ? (
                      <span>
                        <Badge tone={priorityTones[record.priority]}>{strings.priorities[record.priority]}</Badge>
                      </span>
                    ) : null}
                  </a>
                </li>
              ))}
            </ul>
          </section>
        );
      })}
    </section>
  );
}
