import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import { nearest } from '../chart';
import { metricName, number, shortTime } from '../format';
import { HEIGHT, layout } from '../performance';
import type { IOverview, IWindow } from '../tokens';
import { useWidth } from './useWidth';

/** Half the width of a time's label: closer to the edge it ends at its tick. */
const ROOM = 26;

/** What tells the lines of versions whose predictions were not served apart. */
const SIDES = ['jp-mod-first', 'jp-mod-second', 'jp-mod-third'];

interface IChartProps {
  readonly page: IOverview;
  readonly trans: TranslationBundle;
}

/** The metric over time, what was expected of the serving version, and what changed that version. */
export function PerformanceChart({ page, trans }: IChartProps): JSX.Element {
  const [box, width] = useWidth();
  const [picked, setPicked] = React.useState<number | null>(null);
  const chart = React.useMemo(() => (width > 0 ? layout(page, width) : null), [page, width]);
  const name = metricName(page.metric);
  const window = picked === null ? undefined : page.windows[picked];
  const said = window
    ? [
        shortTime(window.start),
        `${name} ${window.value === null ? (window.reason ?? number(null)) : figure(window)}`,
        window.estimated === null ? '' : trans.__('estimated %1', number(window.estimated)),
        expectedText(page, window.version, trans),
        window.version === null ? '' : trans.__('version %1', String(window.version)),
        trans._n('%1 row', '%1 rows', window.rows)
      ]
    : [trans.__('Point at the chart, or use the arrow keys in it, to read single windows.')];

  const step = (event: React.KeyboardEvent): void => {
    const last = page.windows.length - 1;
    const at = picked ?? last + 1;
    const next = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key];
    if (next !== undefined) {
      event.preventDefault();
      setPicked(Math.max(0, Math.min(last, next)));
    }
  };

  return (
    <figure className="jp-ModelOpsChart" ref={box}>
      {chart && (
        <svg
          width={width}
          height={HEIGHT}
          role="img"
          tabIndex={0}
          aria-label={summary(page, chart.marks.length, trans)}
          onKeyDown={step}
          onPointerMove={event => {
            const left = event.currentTarget.getBoundingClientRect().left;
            setPicked(nearest(chart.positions, event.clientX - left));
          }}
          onPointerLeave={() => setPicked(null)}
          onBlur={() => setPicked(null)}
        >
          {chart.rows.map(({ y, label }) => (
            <g key={label}>
              <line className="jp-ModelOpsChart-grid" x1={chart.left} x2={chart.right} y1={y} y2={y} />
              <text className="jp-ModelOpsChart-label jp-mod-end" x={chart.left - 8} y={y + 4}>
                {label}
              </text>
            </g>
          ))}
          {chart.columns.map(({ x, label }) => (
            <g key={x}>
              <line className="jp-ModelOpsChart-tick" x1={x} x2={x} y1={chart.bottom} y2={chart.bottom + 4} />
              <text
                className={`jp-ModelOpsChart-label ${x > chart.right - ROOM ? 'jp-mod-end' : 'jp-mod-middle'}`}
                x={x}
                y={chart.bottom + 18}
              >
                {label}
              </text>
            </g>
          ))}
          {chart.marks.map(({ x, labelX, anchor, labelY, version, action, reason }) => (
            <g key={`${x}/${version}`} className={`jp-ModelOpsChart-mark jp-mod-${action}`}>
              <title>{reason}</title>
              <line x1={x} x2={x} y1={labelY - 4} y2={chart.bottom} />
              <path d={arrow(x, labelY - 5, action)} />
              <text className={`jp-ModelOpsChart-label jp-mod-${anchor}`} x={labelX} y={labelY}>
                {markWords(action, version, trans)}
              </text>
            </g>
          ))}
          <path className="jp-ModelOpsChart-band" d={chart.band} />
          <path className="jp-ModelOpsChart-expected" d={chart.expected} />
          <path className="jp-ModelOpsChart-estimated" d={chart.estimated} />
          {chart.beside.map(({ name, line }, index) => (
            <path key={name} className={`jp-ModelOpsChart-beside ${SIDES[index % SIDES.length]}`} d={line}>
              <title>{name}</title>
            </path>
          ))}
          <path className="jp-ModelOpsChart-line" d={chart.line} />
          {chart.dots.map(({ x, y }) => (
            <circle key={x} className="jp-ModelOpsChart-dot" cx={x} cy={y} r={2.2} />
          ))}
          {picked !== null && (
            <line
              className="jp-ModelOpsChart-cursor"
              x1={chart.positions[picked]}
              x2={chart.positions[picked]}
              y1={chart.top}
              y2={chart.bottom}
            />
          )}
          {picked !== null && chart.heights[picked] != null && (
            <circle
              className="jp-ModelOpsChart-picked"
              cx={chart.positions[picked]}
              cy={chart.heights[picked] ?? 0}
              r={4}
            />
          )}
        </svg>
      )}
      <figcaption>
        <span className="jp-ModelOpsChart-key jp-mod-line">
          {chart?.band ? trans.__('%1 with its 95 % interval', name) : name}
        </span>
        {chart?.estimated && (
          <span className="jp-ModelOpsChart-key jp-mod-estimated">{trans.__('estimated before outcomes')}</span>
        )}
        {chart?.beside.map(({ name, line }, index) =>
          line ? (
            <span key={name} className={`jp-ModelOpsChart-key jp-mod-beside ${SIDES[index % SIDES.length]}`}>
              {name}
            </span>
          ) : null
        )}
        {chart?.expected && (
          <span className="jp-ModelOpsChart-key jp-mod-expected">{trans.__('expected from validation')}</span>
        )}
        <output aria-live="polite">{said.filter(Boolean).join(' · ')}</output>
      </figcaption>
    </figure>
  );
}

/** A figure, with its interval in brackets where it has one. */
function figure({ value, low, high }: IWindow): string {
  return low === null || high === null ? number(value) : `${number(value)} [${number(low)}, ${number(high)}]`;
}

function expectedText(page: IOverview, version: number | null, trans: TranslationBundle): string {
  const level = version === null ? undefined : page.expected[String(version)];
  return level === undefined ? '' : trans.__('expected %1', number(level));
}

function markWords(action: string, version: number, trans: TranslationBundle): string {
  switch (action) {
    case 'promote':
      return trans.__('v%1 promoted', String(version));
    case 'rollback':
      return trans.__('back to v%1', String(version));
    default:
      return trans.__('v%1 serves', String(version));
  }
}

/** Up for a promotion, down for a rollback: the shape says it without colour. */
function arrow(x: number, y: number, action: string): string {
  return action === 'rollback' ? `M${x - 4},${y - 4}h8l-4,7z` : `M${x - 4},${y + 3}h8l-4,-7z`;
}

function summary(page: IOverview, changes: number, trans: TranslationBundle): string {
  const known = page.windows.filter(window => window.value !== null);
  const last = known[known.length - 1];
  const words = [
    trans._n('%2 over %1 window', '%2 over %1 windows', page.windows.length, metricName(page.metric)),
    last && trans.__('last %1 on %2', number(last.value), shortTime(last.start)),
    trans._n('%1 change of the serving version', '%1 changes of the serving version', changes)
  ];
  return words.filter(Boolean).join(', ');
}
