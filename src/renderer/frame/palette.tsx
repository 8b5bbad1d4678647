import type { VNode } from 'preact';
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { displayPath } from '../../shared/display.ts';
import { type App, useApp } from '../app-context.ts';
import { matchCommands } from '../data/match-commands.ts';
import { absolutePath } from '../data/paths.ts';
import { useQuery } from '../data/query.ts';
import { formatRoute, type ViewName } from '../data/route.ts';
import { THEMES } from '../data/theme.ts';
import { rowAfterKey } from '../data/virtual-window.ts';
import { useTell } from '../parts/basics.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { useSettled } from '../parts/fields.tsx';
import { Icon, type IconName } from '../parts/icon.tsx';
import { strings } from '../strings.ts';
import { hitLink } from '../views/search.tsx';
import { SECTIONS } from './sections.ts';
import { saveTheme } from './theme-button.tsx';

const text = strings.palette;
type Command = {
  readonly id: string;
  readonly group: string;
  readonly label: string;
  readonly detail?: string;
  readonly icon: IconName;
  readonly run: () => void;
};

/** Go anywhere, do anything, find everything: by typing. */
export function Palette(): VNode {
  const app = useApp();
  const tell = useTell();
  const id = useId();
  const [query, setQuery] = useState('');
  const [at, setAt] = useState(0);
  const settled = useSettled(query.trim(), 90);
  const { data } = useQuery('search.query', settled.length < 2 ? null : { query: settled, limit: 7 });
  const list = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => input.current?.focus(), []);
  const close = (): void => app.overlay.set(null);

  const commands = [
    ...matchCommands(fixedCommands(app, tell), query),
    ...(settled.length < 2 ? [] : foundCommands(app, data?.hits ?? [])),
    ...(query.trim() === '' ? [] : [searchCommand(app, query.trim())]),
  ];
  const index = Math.min(at, Math.max(0, commands.length - 1));
  const run = (command: Command | undefined): void => {
    if (command === undefined) return;
    close();
    command.run();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Enter') run(commands[index]);
    else {
      const next =
        event.key === 'Home' || event.key === 'End' ? null : rowAfterKey(event.key, index, commands.length, 6);
      if (next === null) return;
      setAt(next);
      list.current?.querySelectorAll('[role=option]')[next]?.scrollIntoView({ block: 'nearest' });
    }
    event.preventDefault();
  };

  return (
    <Dialog title={text.title} kind="palette" hideTitle onClose={close}>
      <div class="palette-input">
        <Icon name="search" />
        <input
          ref={input}
          type="text"
          role="combobox"
          aria-label={text.title}
          aria-expanded="true"
          aria-controls={`${id}-list`}
          aria-activedescendant={commands.length === 0 ? undefined : `${id}-${index}`}
          aria-autocomplete="list"
          placeholder={text.placeholder}
          value={query}
          autocomplete="off"
          spellcheck={false}
          onInput={(event) => {
            setQuery(event.currentTarget.value);
            setAt(0);
          }}
          onKeyDown={onKeyDown}
        />
        <kbd>Esc</kbd>
      </div>
      <div ref={list} id={`${id}-list`} class="palette-list" role="listbox" aria-label={text.title}>
        {commands.length === 0 ? <p class="muted palette-none">{text.none}</p> : null}
        {commands.map((command, position) => (
          <PaletteOption
            key={command.id}
            id={`${id}-${position}`}
            command={command}
            heading={command.group === commands[position - 1]?.group ? null : command.group}
            selected={position === index}
            onRun={() => run(command)}
          />
        ))}
      </div>
    </Dialog>
  );
}

type OptionProps = { id: string; command: Command; heading: string | null; selected: boolean; onRun: () => void };
function PaletteOption({ id, command, heading, selected, onRun }: OptionProps): VNode {
  return (
    <>
      {heading === null ? null : (
        <p class="palette-group" role="presentation">
          {heading}
        </p>
      )}
      {/* biome-ignore lint/a11y/useFocusableInteractive: the box holds the focus */}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the box answers the keys */}
      <div id={id} role="option" class="palette-option" aria-selected={selected} onClick={onRun}>
        <Icon name={command.icon} />
        <span class="cut">{command.label}</span>
        {command.detail === undefined ? null : <span class="cut small muted path push">{command.detail}</span>}
      </div>
    </>
  );
}

function fixedCommands(app: App, tell: ReturnType<typeof useTell>): Command[] {
  const go =
    (view: ViewName, params = {}) =>
    (): void =>
      app.go(formatRoute(view, params));
  const scan = (): void => {
    app.client.call('scan.run', {}).then(({ results }) => {
      tell.ok(
        strings.overview.scanned(
          results.reduce((sum, one) => sum + one.created + one.modified + one.renamed + one.deleted, 0),
        ),
      );
    }, tell.fail);
  };
  const act = (label: string, icon: IconName, run: () => void): Command => ({
    id: label,
    group: text.act,
    label,
    icon,
    run,
  });
  return [
    ...SECTIONS.map(
      ({ view }): Command => ({ id: view, group: text.go, label: strings.views[view], icon: view, run: go(view) }),
    ),
    act(strings.overview.scan, 'working', scan),
    act(text.syncNow, 'sync', () => void syncNow(app, tell)),
    act(text.backUp, 'backups', go('backups', { run: '1' })),
    act(strings.records.newDecision, 'plus', go('decisions', { new: '1' })),
    act(strings.records.newMemory, 'plus', go('memories', { new: '1' })),
    act(strings.overview.addFolder, 'files', go('settings', { add: '1' })),
    ...THEMES.map((theme) =>
      act(text.themes[theme], theme === 'system' ? 'system' : theme === 'light' ? 'sun' : 'moon', () =>
        saveTheme(app, theme).catch(tell.fail),
      ),
    ),
    act(strings.frame.shortcuts, 'keyboard', () => app.overlay.set('shortcuts')),
  ];
}

async function syncNow(app: App, tell: ReturnType<typeof useTell>): Promise<void> {
  try {
    const { plans } = await app.client.call('sync.run', {});
    const problem = plans.find((plan) => plan.problem !== null)?.problem ?? null;
    if (problem === null) tell.ok(plans.length === 0 ? text.syncOff : text.synced);
    else tell.problem(problem.message);
  } catch (error) {
    tell.fail(error);
  }
}

type Hits = Parameters<typeof hitLink>[0][];
function foundCommands(app: App, hits: Hits): Command[] {
  return hits.map((hit) => ({
    id: `${hit.kind} ${hit.recordId ?? ''} ${hit.rootId ?? ''} ${hit.path ?? ''}`,
    group: text.found,
    label: displayPath(hit.title),
    ...(hit.path === null || hit.root === null
      ? {}
      : { detail: displayPath(absolutePath({ root: hit.root, path: hit.path })) }),
    icon: hit.kind === 'file' ? 'file' : hit.kind === 'decision' ? 'decisions' : 'memories',
    run: () => app.go(hitLink(hit)),
  }));
}

const searchCommand = (app: App, query: string): Command => ({
  id: 'search for',
  group: text.found,
  label: text.searchFor(query),
  icon: 'search',
  run: () => app.go(formatRoute('search', { q: query })),
});
