/** Which rows of a long list are in the document: those in view, some around them, and the one that must stay. */
export function rowsToDraw(
  count: number,
  height: number,
  top: number,
  view: number,
  kept: number,
  around = 8
): readonly number[] {
  const first = Math.max(0, Math.floor(top / height) - around);
  const last = Math.min(count - 1, Math.ceil((top + view) / height) + around);
  const found: number[] = [];
  if (kept >= 0 && kept < first) {
    found.push(kept);
  }
  for (let row = first; row <= last; row += 1) {
    found.push(row);
  }
  if (kept > last && kept < count) {
    found.push(kept);
  }
  return found;
}

/** Where the list must scroll to so that a row is wholly in view; where it is, if it is. */
export function scrollTo(row: number, height: number, top: number, view: number): number {
  return Math.min(row * height, Math.max(top, (row + 1) * height - view));
}
