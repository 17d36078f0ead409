import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import { number, shortTime } from '../format';
import type { IDriftMap } from '../tokens';
import { Table } from './Table';

const WINDOWS = 60;
const WIDTH = 360;
const HEIGHT = 16;
/** The PSI of the tallest bar. */
const TALLEST = 0.6;

interface IDriftTableProps {
  readonly drift: IDriftMap;
  readonly picked: string | null;
  readonly pick: (column: string | null) => void;
  readonly trans: TranslationBundle;
}

/** Drift of every column as a row of bars, one per window; those that the monitor found stand out. */
export function DriftTable({ drift, picked, pick, trans }: IDriftTableProps): JSX.Element {
  const from = Math.max(0, drift.starts.length - WINDOWS);
  const starts = drift.starts.slice(from);
  const values = (column: string): readonly (number | null)[] => (drift.values[column] ?? []).slice(from);
  const found = (column: string): readonly boolean[] => (drift.found[column] ?? []).slice(from);
  const over = (column: string): number => found(column).filter(each => each).length;
  const span = `${shortTime(starts[0])} – ${shortTime(starts[starts.length - 1])}`;
  return (
    <Table<string>
      title={trans.__('Drift by column (PSI, less what chance brings)')}
      rows={drift.columns}
      trans={trans}
      empty={trans.__('No drift figures yet: they come with the first monitored window.')}
      columns={[
        {
          title: trans.__('Column'),
          cell: column => (
            <button
              type="button"
              className="jp-ModelOpsLink"
              aria-pressed={column === picked}
              onClick={() => pick(column === picked ? null : column)}
            >
              {column}
            </button>
          )
        },
        { title: span, cell: column => <Bars values={values(column)} found={found(column)} starts={starts} /> },
        { title: trans.__('Last'), numeric: true, cell: column => number(values(column).at(-1)) },
        {
          title: trans.__('Drift found'),
          wraps: true,
          cell: column => trans._n('%1 of %2 windows', '%1 of %2 windows', over(column), starts.length)
        }
      ]}
    />
  );
}

interface IBarsProps {
  readonly values: readonly (number | null)[];
  readonly found: readonly boolean[];
  readonly starts: readonly string[];
}

/** Bars, the findings among them marked; the figures beside them say the same in words, so screen readers skip them. */
function Bars({ values, found, starts }: IBarsProps): JSX.Element {
  const wide = WIDTH / Math.max(values.length, 12);
  const tall = (value: number): number => Math.max(1, Math.min(1, value / TALLEST) * HEIGHT);
  return (
    <svg className="jp-ModelOpsDrift" width={WIDTH} height={HEIGHT} aria-hidden="true">
      {values.map((value, index) =>
        value === null ? null : (
          <rect
            key={index}
            className={found[index] ? 'jp-mod-over' : undefined}
            x={index * wide}
            y={HEIGHT - tall(value)}
            width={Math.max(1, wide - 1)}
            height={tall(value)}
          >
            <title>{`${shortTime(starts[index])}: ${number(value)}`}</title>
          </rect>
        )
      )}
    </svg>
  );
}
