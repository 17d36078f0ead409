/** Geometry of the drawings: numbers in, numbers and path data out. */

export interface IPoint {
  readonly x: number;
  readonly y: number;
}

export type Scale = (value: number) => number;

/** A linear scale; everything lands in the middle where the domain has no width. */
export function scale(domain: readonly [number, number], range: readonly [number, number]): Scale {
  const [low, high] = domain;
  const [from, to] = range;
  return value => (high === low ? (from + to) / 2 : from + ((value - low) / (high - low)) * (to - from));
}

/** The span of what is known, widened by a share of itself; null where nothing is known. */
export function extent(values: readonly (number | null | undefined)[], margin = 0.08): [number, number] | null {
  const known = values.filter((value): value is number => typeof value === 'number' && Number.isFinite(value));
  if (known.length === 0) {
    return null;
  }
  const low = known.reduce((a, b) => Math.min(a, b));
  const high = known.reduce((a, b) => Math.max(a, b));
  const room = (high - low || Math.abs(high) || 1) * margin;
  return [low - room, high + room];
}

/** The area between lows and highs; it breaks where one is missing. */
export function band(stretch: readonly ({ readonly x: number; readonly low: number; readonly high: number } | null)[]): string {
  const pieces: string[] = [];
  let begun = 0;
  for (let end = 0; end <= stretch.length; end += 1) {
    if (!stretch[end]) {
      const known = stretch.slice(begun, end).filter(one => one !== null);
      const there = known.map(({ x, high }) => `${round(x)},${round(high)}`);
      const back = known.map(({ x, low }) => `${round(x)},${round(low)}`).reverse();
      if (known.length > 1) {
        pieces.push(`M${[...there, ...back].join('L')}Z`);
      }
      begun = end + 1;
    }
  }
  return pieces.join('');
}

/** Round numbers within a domain, about `count` of them. */
export function ticks(domain: readonly [number, number], count = 5): readonly number[] {
  const [low, high] = domain;
  const raw = (high - low) / Math.max(1, count);
  if (!(raw > 0)) {
    return [low];
  }
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 5].find(factor => raw <= factor * power) ?? 10) * power;
  const first = Math.ceil(low / step);
  const found: number[] = [];
  for (let n = first; n * step <= high + step * 1e-9; n += 1) {
    found.push(Number((n * step).toPrecision(12)));
  }
  return found;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

export interface ITimeTick {
  readonly at: number;
  readonly label: string;
}

/** Calendar times (UTC) within a span of milliseconds, at most about `count` of them, as an axis names them. */
export function timeTicks(from: number, to: number, count = 6): readonly ITimeTick[] {
  const step = [1, 3, 6, 12, 24, 48, 168, 336].map(h => h * HOUR).find(size => (to - from) / size <= count);
  if (step !== undefined) {
    const found: ITimeTick[] = [];
    for (let at = Math.ceil(from / step) * step; at <= to; at += step) {
      found.push({ at, label: step < DAY ? new Date(at).toISOString().slice(11, 16) : day(at) });
    }
    return found;
  }
  const months = (to - from) / (30.4 * DAY);
  const size = [1, 2, 3, 6, 12, 24, 60, 120].find(n => months / n <= count) ?? 240;
  const found: ITimeTick[] = [];
  const start = new Date(from);
  const year = start.getUTCFullYear();
  for (let month = Math.floor(start.getUTCMonth() / size) * size; ; month += size) {
    const at = Date.UTC(year, month, 1);
    if (at > to) {
      return found;
    }
    if (at >= from) {
      const options = { month: 'short', year: 'numeric', timeZone: 'UTC' } as const;
      found.push({ at, label: new Date(at).toLocaleDateString('en', options) });
    }
  }
}

function day(at: number): string {
  return new Date(at).toLocaleDateString('en', { day: 'numeric', month: 'short', timeZone: 'UTC' });
}

/** Path data of a line that is broken where a value is missing; a lone value becomes a dot. */
export function line(points: readonly (IPoint | null)[]): string {
  const parts: string[] = [];
  points.forEach((point, index) => {
    if (point === null) {
      return;
    }
    const before = points[index - 1] ?? null;
    const after = points[index + 1] ?? null;
    const at = `${round(point.x)},${round(point.y)}`;
    if (before === null) {
      parts.push(after === null ? `M${at}h0` : `M${at}`);
    } else {
      parts.push(`L${at}`);
    }
  });
  return parts.join('');
}

/** Places of at most about `most` values: the lowest and the highest of every stretch, so that peaks and gaps stay. */
export function peaks(values: readonly (number | null)[], most: number): readonly number[] {
  const size = Math.ceil((2 * values.length) / most);
  if (size <= 2) {
    return values.map((_, index) => index);
  }
  const kept = new Set([0, values.length - 1]);
  for (let begin = 0; begin < values.length; begin += size) {
    let [low, high]: [number | null, number | null] = [null, null];
    for (let at = begin; at < Math.min(begin + size, values.length); at += 1) {
      const value = values[at] ?? null;
      if (value !== null) {
        low = low === null || value < (values[low] ?? Infinity) ? at : low;
        high = high === null || value > (values[high] ?? -Infinity) ? at : high;
      }
    }
    kept.add(low ?? begin).add(high ?? begin);
  }
  for (let begin = 0, at = 0; at <= values.length; at += 1) {
    if (at === values.length || values[at] !== null) {
      if (at - begin >= size) {
        kept.add(begin);
      }
      begin = at + 1;
    }
  }
  return [...kept].sort((a, b) => a - b);
}

/** Path data of level pieces, one per run of equal values; from and to are the edges of each window. */
export function steps(pieces: readonly { from: number; to: number; y: number | null }[]): string {
  const parts: string[] = [];
  pieces.forEach(({ from, to, y }, index) => {
    if (y !== null && y !== pieces[index - 1]?.y) {
      parts.push(`M${round(from)},${round(y)}`);
    }
    if (y !== null && y !== pieces[index + 1]?.y) {
      parts.push(`H${round(to)}`);
    }
  });
  return parts.join('');
}

/** The index whose position is nearest to `x`, or -1. */
export function nearest(positions: readonly number[], x: number): number {
  let best = -1;
  positions.forEach((position, index) => {
    if (best < 0 || Math.abs(position - x) < Math.abs((positions[best] ?? 0) - x)) {
      best = index;
    }
  });
  return best;
}

/** Rows for labels so that none covers another: each gets the first row that is free at its place. */
export function lanes(labels: readonly { x: number; width: number }[]): readonly number[] {
  const ends: number[] = [];
  return labels.map(({ x, width }) => {
    const free = ends.findIndex(end => end <= x);
    const lane = free < 0 ? ends.length : free;
    ends[lane] = x + width;
    return lane;
  });
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
