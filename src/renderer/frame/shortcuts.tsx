import type { VNode } from 'preact';
import { useApp } from '../app-context.ts';
import { GO_KEYS } from '../data/keys.ts';
import { Dialog } from '../parts/dialog.tsx';
import { strings } from '../strings.ts';

const text = strings.shortcuts;

/** Every shortcut there is. */
export function Shortcuts(): VNode {
  const { overlay } = useApp();
  const mod = /Mac/.test(navigator.userAgent) ? '⌘' : 'Ctrl';
  return (
    <Dialog title={text.title} onClose={() => overlay.set(null)}>
      <div class="shortcut-groups">
        <Group
          name={text.everywhere}
          keys={[
            [text.palette, [mod, 'K']],
            [text.search, ['/']],
            [text.help, ['?']],
            [text.close, ['Esc']],
          ]}
        />
        <Group
          name={text.lists}
          keys={[
            [text.move, ['↑', '↓']],
            [text.page, ['PgUp', 'PgDn']],
            [text.ends, ['Home', 'End']],
            [text.open, ['Enter']],
          ]}
        />
        <Group
          name={text.goTo}
          keys={Object.entries(GO_KEYS).map(([key, view]) => [strings.views[view], ['g', key]] as const)}
        />
      </div>
    </Dialog>
  );
}

type GroupProps = { name: string; keys: readonly (readonly [what: string, keys: readonly string[]])[] };
function Group({ name, keys }: GroupProps): VNode {
  return (
    <section>
      <h3>{name}</h3>
      <dl class="shortcut-list">
        {keys.map(([what, list]) => (
          <div key={what}>
            <dt>{what}</dt>
            <dd>
              {list.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
