/** Which of some names a person most likely meant. */

/** The candidate whose name differs in the fewest edits, when that is at most a third of the name; else null. */
export function nearestOf(
  name: string,
  candidates: readonly string[],
  nameOf: (candidate: string) => string = (candidate) => candidate,
): string | null {
  const wanted = plain(name);
  let best: string | null = null;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const known = plain(nameOf(candidate));
    const distance = editDistance(wanted, known);
    if (distance <= Math.max(1, Math.floor(known.length / 3)) && distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** `quietMs`, `quiet-ms` and `QUIET_MS` are the same word with other clothes. */
function plain(name: string): string {
  return name
    .slice(0, 80)
    .toLowerCase()
    .replace(/[_\-\s]/g, '');
}

/** Edits (insert, delete, replace, swap of neighbours) that turn one text into the other. */
export function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const same = from[row - 1] === to[column - 1];
      const edits = [(last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, (last[column - 1] ?? 0) + (same ? 0 : 1)];
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (swapped) edits.push((beforeLast[column - 2] ?? 0) + 1);
      current.push(Math.min(...edits));
    }
    beforeLast = last;
    last = current;
  }
  return last[to.length] ?? 0;
}

/** Up to `most` names that are alike enough to be worth showing, the nearest first. Cheap for thousands of long names. */
export function nearestSome(name: string, names: readonly string[], most = 3): string[] {
  const wanted = shortened(name);
  return names
    .map((each) => ({ each, far: editDistance(wanted, shortened(each)) }))
    .filter(({ each, far }) => far <= Math.max(3, each.length / 2))
    .sort((a, b) => a.far - b.far)
    .slice(0, most)
    .map(({ each }) => each);
}

function shortened(name: string): string {
  return name.slice(0, 200).toLowerCase();
}
