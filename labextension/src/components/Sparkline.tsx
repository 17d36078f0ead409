import React from 'react';
import { extent, line, scale } from '../chart';

const WIDTH = 72;
const HEIGHT = 22;
const PADDING = 2;

/** A metric's last windows as a small line; words beside it say what it means, so it is hidden from screen readers. */
export function Sparkline({ values }: { values: readonly (number | null)[] }): JSX.Element | null {
  const domain = extent(values, 0);
  if (domain === null) {
    return null;
  }
  const x = scale([0, Math.max(1, values.length - 1)], [PADDING, WIDTH - PADDING]);
  const y = scale(domain, [HEIGHT - PADDING, PADDING]);
  const points = values.map((value, index) => (value === null ? null : { x: x(index), y: y(value) }));
  const last = points.findLast(point => point !== null);
  return (
    <svg className="jp-ModelOpsSparkline" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
      <path d={line(points)} />
      {last && <circle cx={last.x} cy={last.y} r={1.9} />}
    </svg>
  );
}
