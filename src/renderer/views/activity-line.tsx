import type { VNode } from 'preact';
import { displayText } from '../../shared/display.ts';
import type { ActivityRecord } from '../../shared/model.ts';
import { activityLink } from '../data/activity-link.ts';
import { When } from '../parts/basics.tsx';
import { Icon } from '../parts/icon.tsx';
import { activityIcon } from '../parts/looks.ts';

type Props = { activity: ActivityRecord; rootPaths: ReadonlyMap<number, string> };

/** One activity as a sentence that leads to what it is about. */
export function ActivityLine({ activity, rootPaths }: Props): VNode {
  const href = activityLink(activity, rootPaths);
  const sentence = displayText(activity.summary).replaceAll('\n', '\\n');
  return (
    <div class="activity-line">
      <span class={`activity-mark kind-${activity.kind.replace('.', '-')}`}>
        <Icon name={activityIcon(activity.kind)} size={18} />
      </span>
      {href === null ? (
        <span class="cut">{sentence}</span>
      ) : (
        <a class="cut" href={href} title={sentence}>
          {sentence}
        </a>
      )}
      <span class="muted small nowrap numbers">
        <When timeMs={activity.occurredAtMs} />
      </span>
    </div>
  );
}
