/** The breaker of captures: whether deletions are recorded, or held until a person decides. Pure. */

export type HoldFacts = {
  /** Files that are gone (renames taken out). */
  readonly deletes: number;
  /** Files that were present before. */
  readonly total: number;
  /** The folder is another one than at the last scan (another device or inode): unmounted, replaced. */
  readonly identityChanged: boolean;
};

export type HoldLimits = { readonly over: number; readonly share: number };

/** Below this many deletions the share alone does not hold: in a folder of three files one is a third. */
const SHARE_NEEDS = 10;

export function mustHold(facts: HoldFacts, limits: HoldLimits): boolean {
  if (facts.deletes === 0) return false;
  if (facts.identityChanged) return true;
  if (facts.deletes > limits.over) return true;
  return facts.deletes >= SHARE_NEEDS && facts.deletes > facts.total * limits.share;
}
