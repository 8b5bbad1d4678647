/** The breaker of sync: whether what a plan would take away is done, or held until a person decides. Pure. */

export type BreakerCounts = {
  /** Records that would be retired. */
  readonly deletes: number;
  /** Records that would lose a text or an unsent edit. */
  readonly overwrites: number;
  /** Records of the table that are not retired. */
  readonly total: number;
};

export type BreakerLimits = { readonly over: number; readonly share: number };

/** Below this many the share alone does not hold: of three records one is a third. */
const SHARE_NEEDS = 10;

export function mustHold({ deletes, overwrites, total }: BreakerCounts, limits: BreakerLimits): boolean {
  const lost = deletes + overwrites;
  if (lost > limits.over) return true;
  return lost >= SHARE_NEEDS && lost > total * limits.share;
}
