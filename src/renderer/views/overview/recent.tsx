import type { VNode } from 'preact';
import type { AgentStatus } from '../../../shared/contract.ts';
import { displayPath } from '../../../shared/display.ts';
import { useQuery } from '../../data/query.ts';
import { formatRoute } from '../../data/route.ts';
import { Empty, ErrorCard, Skeleton } from '../../parts/basics.tsx';
import { strings } from '../../strings.ts';
import { ActivityLine } from '../activity-line.tsx';

const SHOWN = 12;

/** The newest activities. */
export function Recent({ status }: { status: AgentStatus }): VNode {
  const { data, error, reload } = useQuery('activities.list', { limit: SHOWN }, ['activity']);
  const text = strings.overview;
  const rootPaths = new Map(status.roots.map((root) => [root.rootId, root.path]));
  return (
    <section class="card recent">
      <header class="card-head">
        <h2>{text.recent}</h2>
        <a href={formatRoute('activity')}>{text.allActivity}</a>
      </header>
      {data === undefined ? (
        error === null ? (
          <Skeleton rows={8} />
        ) : (
          <ErrorCard error={error} onRetry={reload} />
        )
      ) : data.activities.length === 0 ? (
        <Empty
          icon="activity"
          title={strings.activity.empty}
          text={status.roots[0] === undefined ? text.noFolderText : text.noActivity(displayPath(status.roots[0].path))}
        />
      ) : (
        <ol class="activity-list">
          {data.activities.map((activity) => (
            <li key={activity.id}>
              <ActivityLine activity={activity} rootPaths={rootPaths} />
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
