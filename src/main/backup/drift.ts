/** What differs between the files, the vault, the remotes and the last backup, and which side moved. Pure. */

/** Content of one thing at one side: a hash; null where it is not. */
export type SideValue = string | null;

/**
 * One path or row with what each side has. `base` is what all sides last agreed on: the last backup for files, the
 * link for rows; undefined when they never did.
 */
export type DriftItem = {
  readonly kind: 'file' | 'row';
  /** A path, or `table/id`. */
  readonly key: string;
  /** Here: the file on the disk, the row in the vault. */
  readonly here: SideValue;
  /** There, by side: `vault` and `backup` for files, a remote for rows. undefined: the side could not be read. */
  readonly there: Readonly<Record<string, SideValue | undefined>>;
  readonly base: SideValue | undefined;
};

export type DriftKind =
  /** It is there and not here. */
  | 'missing'
  /** It is here and not there. */
  | 'extra'
  | 'changed here'
  | 'changed there'
  /** Both are other than what they agreed on, and not the same. */
  | 'both'
  /** They differ and never agreed, so nobody can say which side moved. */
  | 'unknown';

export type Drift = {
  readonly kind: 'file' | 'row';
  readonly key: string;
  readonly side: string;
  readonly drift: DriftKind;
  /** Which side moved away from what they agreed on. */
  readonly moved: 'here' | 'there' | 'both' | 'unknown';
};

export type DriftReport = {
  readonly drifts: readonly Drift[];
  readonly compared: number;
  /** Sides that could not be read: about these nothing is said. */
  readonly unread: readonly string[];
  readonly bySide: Readonly<
    Record<string, { readonly compared: number; readonly drifted: number; readonly share: number }>
  >;
};

export type DriftLimits = { readonly count: number; readonly share: number };
export const DRIFT_LIMITS: DriftLimits = { count: 50, share: 0.2 };

/** Compares every item with every side. One line for each thing that differs at a side, none for what is the same. */
export function findDrift(items: Iterable<DriftItem>): DriftReport {
  const drifts: Drift[] = [];
  const unread = new Set<string>();
  const sides = new Map<string, { compared: number; drifted: number }>();
  let compared = 0;
  for (const item of items) {
    compared += 1;
    for (const [side, there] of Object.entries(item.there)) {
      if (there === undefined) {
        unread.add(side);
        continue;
      }
      const count = sides.get(side) ?? { compared: 0, drifted: 0 };
      sides.set(side, count);
      count.compared += 1;
      const verdict = compareSides(item.here, there, item.base);
      if (verdict === null) continue;
      count.drifted += 1;
      drifts.push({ kind: item.kind, key: item.key, side, ...verdict });
    }
  }
  const bySide = Object.fromEntries(
    [...sides].map(([side, count]) => [
      side,
      { ...count, share: count.compared === 0 ? 0 : count.drifted / count.compared },
    ]),
  );
  return { drifts, compared, unread: [...unread].sort(), bySide };
}

/** null when both sides have the same. */
export function compareSides(
  here: SideValue,
  there: SideValue,
  base: SideValue | undefined,
): Pick<Drift, 'drift' | 'moved'> | null {
  if (here === there) return null;
  const moved = whichMoved(here, there, base);
  if (here === null) return { drift: 'missing', moved };
  if (there === null) return { drift: 'extra', moved };
  switch (moved) {
    case 'here':
      return { drift: 'changed here', moved };
    case 'there':
      return { drift: 'changed there', moved };
    case 'both':
      return { drift: 'both', moved };
    case 'unknown':
      return { drift: 'unknown', moved };
  }
}

function whichMoved(here: SideValue, there: SideValue, base: SideValue | undefined): Drift['moved'] {
  if (base === undefined) return 'unknown';
  if (there === base) return 'here';
  return here === base ? 'there' : 'both';
}

/** Sides of which more drifted than is normal; empty when all is well. */
export function driftAlerts(
  report: DriftReport,
  limits: DriftLimits,
): readonly { readonly side: string; readonly drifted: number; readonly compared: number; readonly reason: string }[] {
  return Object.entries(report.bySide).flatMap(([side, { drifted, compared, share }]) => {
    const isMany = drifted > limits.count;
    // A fifth of a few is no alarm.
    const isLarge = compared >= 10 && share > limits.share;
    if (!isMany && !isLarge) return [];
    const reason = `${drifted} of ${compared} differ from ${side}`;
    return [{ side, drifted, compared, reason }];
  });
}
