import type { ComponentChildren, VNode } from 'preact';
import { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { rowAfterKey, scrollToShow, virtualWindow } from '../data/virtual-window.ts';

type VirtualListProps<T> = {
  /** What the list is, for a screen reader. */
  readonly label: string;
  readonly items: readonly T[];
  /** Rows of all pages, when more exist than are here. */
  readonly total?: number | null;
  /** Height of every row, in pixels; rows do not grow. */
  readonly rowHeight: number;
  readonly keyOf: (item: T) => string;
  readonly render: (item: T, selected: boolean) => ComponentChildren;
  /** Enter, space or a click on a row. */
  readonly onOpen?: (item: T) => void;
  /** The end came near: read the next page. */
  readonly onNearEnd?: () => void;
  /** Stays at the end while it is at the end: for a log. */
  readonly followEnd?: boolean;
  readonly onLeaveEnd?: () => void;
  /** Makes rows choosable: a box before each, toggled by a click on it or by space. */
  readonly choosing?: {
    readonly isChosen: (item: T) => boolean;
    readonly toggle: (item: T) => void;
    readonly labelOf: (item: T) => string;
  };
  readonly class?: string;
};

const NEAR_END_ROWS = 60;
/** Rows that are kept as drawn, at most: several times what is in sight. */
const KEPT_ROWS = 300;

/** A list of any length: only the rows in sight exist in the page. One tab stop; arrows, Page, Home and End move in it. */
export function VirtualList<T>(props: VirtualListProps<T>): VNode {
  const { items, rowHeight, followEnd = false, choosing } = props;
  const box = useRef<HTMLDivElement>(null);
  const id = useId();
  const [scrollTop, setScrollTop] = useState(0);
  const [height, setHeight] = useState(600);
  const [selected, setSelected] = useState(0);
  const [touched, setTouched] = useState(false);
  const count = items.length;
  const { start, end } = virtualWindow(count, rowHeight, scrollTop, height);
  const index = Math.min(selected, Math.max(0, count - 1));
  // Scrolling draws again what came into sight, not what was in sight: a row that is the same object is left alone.
  const drawn = useMemo(
    () => new Map<number, VNode>(),
    [items, props.render, props.onOpen, props.keyOf, choosing, index, touched, rowHeight],
  );
  if (drawn.size > KEPT_ROWS) drawn.clear();

  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setHeight(element.clientHeight));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => {
    const element = box.current;
    if (followEnd && element !== null) element.scrollTop = element.scrollHeight;
  }, [followEnd, items, height]);
  useEffect(() => {
    if (end > count - NEAR_END_ROWS) props.onNearEnd?.();
  }, [end, count]);

  const onScroll = (): void => {
    const element = box.current;
    if (element === null) return;
    setScrollTop(element.scrollTop);
    if (followEnd && element.scrollTop + element.clientHeight < element.scrollHeight - rowHeight * 2) {
      props.onLeaveEnd?.();
    }
  };
  const select = (next: number): void => {
    setSelected(next);
    setTouched(true);
    const element = box.current;
    if (element !== null) element.scrollTop = scrollToShow(next, rowHeight, element.scrollTop, element.clientHeight);
  };
  const open = (at: number): void => {
    const item = items[at];
    if (item !== undefined) props.onOpen?.(item);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const next = rowAfterKey(event.key, index, count, Math.floor(height / rowHeight));
    const here = items[index];
    if (next !== null) select(next);
    else if (event.key === ' ' && choosing !== undefined && here !== undefined) choosing.toggle(here);
    else if ((event.key === 'Enter' || event.key === ' ') && event.target === box.current) open(index);
    else return;
    event.preventDefault();
  };

  return (
    // biome-ignore lint/a11y/useSemanticElements: a table cannot leave out the rows that are not in sight
    <div
      ref={box}
      class={`virtual ${props.class ?? ''}`}
      style={{ maxHeight: `${count * rowHeight + 2}px` }}
      role="grid"
      tabIndex={0}
      aria-label={props.label}
      aria-multiselectable={choosing === undefined ? undefined : true}
      aria-rowcount={props.total ?? count}
      aria-activedescendant={count > 0 && index >= start && index < end ? `${id}-${index}` : undefined}
      onScroll={onScroll}
      onKeyDown={onKeyDown}
    >
      {/* biome-ignore lint/a11y/useSemanticElements: part of the grid above */}
      <div role="rowgroup" class="virtual-space" style={{ height: `${count * rowHeight}px` }}>
        {items.slice(start, end).map((item, offset) => {
          const at = start + offset;
          const known = drawn.get(at);
          if (known !== undefined) return known;
          const row = (
            // biome-ignore lint/a11y/useSemanticElements: part of the grid above
            // biome-ignore lint/a11y/useFocusableInteractive: the grid holds the focus and names its active row
            // biome-ignore lint/a11y/useKeyWithClickEvents: the grid answers the keys
            <div
              key={props.keyOf(item)}
              id={`${id}-${at}`}
              role="row"
              class={`virtual-row${at === index && touched ? ' selected' : ''}`}
              aria-rowindex={at + 1}
              aria-selected={choosing === undefined ? at === index : choosing.isChosen(item)}
              style={{ top: `${at * rowHeight}px`, height: `${rowHeight}px` }}
              onClick={() => {
                setSelected(at);
                open(at);
              }}
            >
              {choosing === undefined ? null : (
                <Cell class="choose-cell">
                  <input
                    type="checkbox"
                    tabIndex={-1}
                    aria-label={choosing.labelOf(item)}
                    checked={choosing.isChosen(item)}
                    onClick={(event) => event.stopPropagation()}
                    onChange={() => choosing.toggle(item)}
                  />
                </Cell>
              )}
              {props.render(item, at === index)}
            </div>
          );
          drawn.set(at, row);
          return row;
        })}
      </div>
    </div>
  );
}

/** A cell of a row of {@link VirtualList}. */
export function Cell({ class: name, children }: { class?: string; children: ComponentChildren }): VNode {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a cell of a virtual grid
    // biome-ignore lint/a11y/useFocusableInteractive: the grid holds the focus
    <div role="gridcell" class={name}>
      {children}
    </div>
  );
}
