import { moment } from './format.js';
import type { ITransition, IWindow } from './tokens';

/** A change of the version that serves, on the time axis of the windows. */
export interface IMark {
  readonly at: number;
  readonly version: number;
  readonly action: string;
  readonly reason: string;
}

/**
 * What changed the serving version.
 *
 * A promotion within the windows' time is marked when it was made. Where a log was replayed afterwards, its
 * promotions lie outside: then the mark is where the other version begins to serve.
 */
export function marks(windows: readonly IWindow[], transitions: readonly ITransition[]): readonly IMark[] {
  const first = windows[0];
  const last = windows[windows.length - 1];
  if (!first || !last) {
    return [];
  }
  const inside = (move: ITransition): boolean =>
    moment(first.start) <= moment(move.at) && moment(move.at) <= moment(last.end);
  const moves = transitions.filter(move => move.alias === 'champion');
  const found = moves.filter(inside).map(move => mark(move, moment(move.at)));
  const later = moves.filter(move => !inside(move));
  const served = windows.filter(window => window.version !== null);
  // The promotion that the first window knows needs no mark.
  take(later, served[0]?.version ?? null);
  served.slice(1).forEach((after, index) => {
    const before = served[index];
    if (!before || after.version === null || after.version === before.version) {
      return;
    }
    const slack = 2 * (moment(after.end) - moment(after.start));
    const known = found.some(
      one =>
        one.version === after.version &&
        one.at >= moment(before.start) - slack &&
        one.at <= moment(after.end) + slack
    );
    if (!known) {
      const move = take(later, after.version);
      const at = moment(after.start);
      found.push(move ? mark(move, at) : { at, version: after.version, action: 'serves', reason: '' });
    }
  });
  return found.sort((a, b) => a.at - b.at);
}

function mark(move: ITransition, at: number): IMark {
  return { at, version: move.to_version, action: move.action, reason: move.reason };
}

/** Removes and returns the first move to a version. */
function take(moves: ITransition[], version: number | null): ITransition | undefined {
  const index = moves.findIndex(move => move.to_version === version);
  return index < 0 ? undefined : moves.splice(index, 1)[0];
}
