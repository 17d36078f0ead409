import { band, extent, type IPoint, lanes, line, peaks, scale, steps, ticks, timeTicks } from './chart.js';
import { moment, number } from './format.js';
import { type IMark, marks } from './marks.js';
import type { IOverview, ISeries, IWindow } from './tokens';

export const HEIGHT = 260;
const LEFT = 52;
const RIGHT = 12;
const BOTTOM = 28;
const LANE = 16;
const LABEL_WIDTH = 92;

export interface IPlacedMark extends IMark {
  readonly x: number;
  readonly labelX: number;
  readonly labelY: number;
  readonly anchor: 'start' | 'end';
}

/** Where everything of the performance chart stands, in pixels. */
export interface IChartLayout {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly positions: readonly number[];
  readonly heights: readonly (number | null)[];
  readonly line: string;
  /** The 95 % interval around the line. */
  readonly band: string;
  /** What was estimated before outcomes arrived. */
  readonly estimated: string;
  /** The same metric of versions whose predictions were not served. */
  readonly beside: readonly { readonly name: string; readonly line: string }[];
  readonly dots: readonly IPoint[];
  readonly expected: string;
  readonly rows: readonly { y: number; label: string }[];
  readonly columns: readonly { x: number; label: string }[];
  readonly marks: readonly IPlacedMark[];
}

/** A series in words: version 2 as shadow. */
export function seriesName({ version, role }: Pick<ISeries, 'version' | 'role'>): string {
  return `version ${version} as ${role}`;
}

const DOTS = 60;
const MOST_POINTS = 1000;

/** Lays the chart out for a width; null where no window has a figure. */
export function layout(page: IOverview, width: number): IChartLayout | null {
  const { windows } = page;
  const levels = windows.map(window => (window.version === null ? null : (page.expected[window.version] ?? null)));
  const figures = windows.flatMap(({ value, low, high, estimated }) => [value, low, high, estimated]);
  const first = windows[0];
  const last = windows[windows.length - 1];
  const others = page.beside.map(series => ({
    name: seriesName(series),
    windows: series.windows.filter(({ start }) => first && last && start >= first.start && start <= last.start)
  }));
  const domain = extent([...figures, ...levels, ...others.flatMap(other => other.windows.map(({ value }) => value))]);
  if (domain === null || !first || !last) {
    return null;
  }
  const from = moment(first.start);
  const to = moment(last.end);
  const right = width - RIGHT;
  const bottom = HEIGHT - BOTTOM;
  const x = scale([from, to], [LEFT, right]);

  const changes = marks(windows, page.transitions).map(mark => ({ ...mark, x: Math.round(x(mark.at)) + 0.5 }));
  const rows = lanes(changes.map(mark => ({ x: labelLeft(mark.x, right), width: LABEL_WIDTH })));
  const top = 10 + LANE * (rows.length === 0 ? 0 : Math.max(...rows) + 1);
  const y = scale(domain, [bottom, top]);

  const middle = (window: IWindow): number => (x(moment(window.start)) + x(moment(window.end))) / 2;
  const positions = windows.map(middle);
  const at = (value: number | null, index: number): IPoint | null =>
    value === null ? null : { x: positions[index] ?? 0, y: y(value) };
  const points = windows.map(({ value }, index) => at(value, index));
  const intervals = windows.map(({ low, high }, index) =>
    low === null || high === null ? null : { x: positions[index] ?? 0, low: y(low), high: y(high) }
  );
  const drawn = peaks(windows.map(window => window.value), MOST_POINTS);
  const estimated = peaks(windows.map(window => window.estimated), MOST_POINTS);
  const pieces = windows.map((window, index) => {
    const level = levels[index] ?? null;
    return { from: x(moment(window.start)), to: x(moment(window.end)), y: level === null ? null : y(level) };
  });
  return {
    left: LEFT,
    right,
    top,
    bottom,
    positions,
    heights: points.map(point => point?.y ?? null),
    line: line(drawn.map(index => points[index] ?? null)),
    band: band(drawn.map(index => intervals[index] ?? null)),
    estimated: line(estimated.map(index => at(windows[index]?.estimated ?? null, index))),
    beside: others.map(other => ({
      name: other.name,
      line: line(
        peaks(other.windows.map(window => window.value), MOST_POINTS).map(index => {
          const window = other.windows[index];
          return window && window.value !== null ? { x: middle(window), y: y(window.value) } : null;
        })
      )
    })),
    dots: windows.length <= DOTS ? points.filter((point): point is IPoint => point !== null) : [],
    expected: steps(pieces),
    rows: ticks(domain, 5).map(value => ({ y: Math.round(y(value)) + 0.5, label: number(value) })),
    columns: timeTicks(from, to, Math.max(2, width / 90)).map(({ at, label }) => ({ x: Math.round(x(at)) + 0.5, label })),
    marks: changes.map((mark, index) => {
      const start = labelLeft(mark.x, right) > mark.x - LABEL_WIDTH / 2;
      return {
        ...mark,
        anchor: start ? 'start' : 'end',
        labelX: start ? mark.x + 7 : mark.x - 7,
        labelY: 14 + LANE * (rows[index] ?? 0)
      };
    })
  };
}

/** Where a mark's label begins: to its right, or to its left where there is no room. */
function labelLeft(x: number, right: number): number {
  return x + LABEL_WIDTH > right ? x - LABEL_WIDTH : x;
}
