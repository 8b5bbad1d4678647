import type { VNode } from 'preact';
import { useMemo } from 'preact/hooks';
import type { Conflict } from '../../../shared/contract-sync.ts';
import { displayText } from '../../../shared/display.ts';
import {
  type ComparedLine,
  compareLines,
  comparePieces,
  foldSame,
  isLongText,
  type Piece,
} from '../../data/compare-values.ts';
import { valueText } from '../../data/conflict-view.ts';
import { Badge, When } from '../../parts/basics.tsx';
import { strings } from '../../strings.ts';
import { syncText, conflictText as text } from '../../strings-sync.ts';

const STATUS_WORDS: Readonly<Record<string, string>> = {
  ...strings.statuses,
  ...strings.priorities,
  ...strings.memoryKinds,
};

/** A value as the page shows it: known words by their names, a retirement as a sentence. */
function shownValue(conflict: Conflict, value: unknown): string {
  const plain = valueText(conflict.field, value);
  if (conflict.field === 'deletedAtMs') return plain === '' ? text.present : text.retired(plain);
  const words = ['status', 'priority', 'kind'].includes(conflict.field) ? STATUS_WORDS[plain] : undefined;
  return words ?? displayText(plain);
}

/** Both values beside each other, what differs marked; long texts line by line. */
export function Sides({ conflict }: { conflict: Conflict }): VNode {
  const [mine, theirs, base] = [conflict.mine, conflict.theirs, conflict.base].map((value) =>
    shownValue(conflict, value),
  ) as [string, string, string];
  const long = isLongText(mine, theirs);
  return (
    <>
      {long ? (
        <LongSides conflict={conflict} mine={mine} theirs={theirs} />
      ) : (
        <ShortSides conflict={conflict} mine={mine} theirs={theirs} />
      )}
      {conflict.base === null ? null : (
        <details>
          <summary>{text.sides.base}</summary>
          <p class="wrap pre base-value">{base === '' ? text.empty_value : base}</p>
        </details>
      )}
    </>
  );
}

type SidesProps = { conflict: Conflict; mine: string; theirs: string };

function SideHead({ conflict, side }: { conflict: Conflict; side: 'mine' | 'theirs' }): VNode {
  const editedAtMs = side === 'mine' ? conflict.mineEditedAtMs : conflict.theirsEditedAtMs;
  const isOpen = conflict.resolvedAtMs === null;
  return (
    <header class="side-head">
      <h3>{side === 'mine' ? text.sides.mine : syncText.remotes[conflict.remote]}</h3>
      {isOpen ? (
        conflict.winner === side ? (
          <Badge tone="accent" icon="check">
            {text.usual}
          </Badge>
        ) : (
          <Badge tone="neutral" icon="archive">
            {text.kept}
          </Badge>
        )
      ) : null}
      {editedAtMs === null ? null : (
        <span class="small muted">
          {text.editedAt} <When timeMs={editedAtMs} ago />
        </span>
      )}
    </header>
  );
}

function ShortSides({ conflict, mine, theirs }: SidesProps): VNode {
  const pieces = comparePieces(mine, theirs);
  return (
    <div class="sides">
      {(['mine', 'theirs'] as const).map((side) => (
        <section key={side} class={`side ${conflict.winner === side && conflict.resolvedAtMs === null ? 'wins' : ''}`}>
          <SideHead conflict={conflict} side={side} />
          <p class="side-value wrap">
            {pieces[side].length === 0 ? (
              <span class="muted">{text.empty_value}</span>
            ) : (
              <Pieces pieces={pieces[side]} />
            )}
          </p>
        </section>
      ))}
    </div>
  );
}

function LongSides({ conflict, mine, theirs }: SidesProps): VNode {
  const rows = useMemo(() => foldSame(compareLines(mine, theirs)), [mine, theirs]);
  return (
    <div class="sides-long">
      <div class="sides-heads">
        <SideHead conflict={conflict} side="mine" />
        <SideHead conflict={conflict} side="theirs" />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by key */}
      <section class="side-lines" tabIndex={0} aria-label={strings.file.changes}>
        {rows.map((row, index) =>
          row.kind === 'gap' ? (
            <p key={index} class="side-gap">
              {text.gap(row.lines)}
            </p>
          ) : (
            <div key={index} class={`side-row ${row.kind}`}>
              <Line line={row.mine} />
              <Line line={row.theirs} />
            </div>
          ),
        )}
      </section>
    </div>
  );
}

function Line({ line }: { line: ComparedLine | null }): VNode {
  if (line === null) return <div class="side-line none" />;
  return (
    <div class="side-line">
      <span class="diff-number" aria-hidden="true">
        {line.number}
      </span>
      <span class="wrap">
        <Pieces pieces={line.pieces} />
      </span>
    </div>
  );
}

function Pieces({ pieces }: { pieces: readonly Piece[] }): VNode {
  return <>{pieces.map((piece, index) => (piece.changed ? <mark key={index}>{piece.text}</mark> : piece.text))}</>;
}
