import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import { CodeHandle, type ICode } from './CodeHandle';

export interface IColumn<T> {
  readonly title: string;
  readonly cell: (row: T) => React.ReactNode;
  /** Numbers stand to the right, so that their digits compare. */
  readonly numeric?: boolean;
  /** Texts may break into lines; everything else stays on one. */
  readonly wraps?: boolean;
}

interface ITableProps<T> {
  readonly title: string;
  readonly rows: readonly T[];
  readonly columns: readonly IColumn<T>[];
  readonly empty: string;
  readonly trans: TranslationBundle;
  readonly most?: number;
  /** What one should know of the figures. */
  readonly note?: string;
  /** The code of a row, to be dragged into a notebook. */
  readonly codeOf?: (row: T) => ICode;
}

/** A section with a table; a long one shows its first rows until asked for all. */
export function Table<T>({ title, rows, columns, empty, trans, most = 10, note, codeOf }: ITableProps<T>): JSX.Element {
  const [all, setAll] = React.useState(false);
  const id = React.useId();
  const shown = all ? rows : rows.slice(0, most);
  const side = (column: IColumn<T>): string | undefined =>
    column.numeric ? 'jp-mod-numeric' : column.wraps ? 'jp-mod-wraps' : undefined;
  return (
    <section className="jp-ModelOpsPage-section" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {rows.length === 0 ? (
        <p className="jp-ModelOpsPage-quiet">{empty}</p>
      ) : (
        <div className="jp-ModelOpsTable" tabIndex={0} role="group" aria-labelledby={id}>
          <table>
            <thead>
              <tr>
                {columns.map(column => (
                  <th key={column.title} scope="col" className={side(column)}>
                    {column.title}
                  </th>
                ))}
                {codeOf && <th scope="col">{trans.__('Code')}</th>}
              </tr>
            </thead>
            <tbody>
              {shown.map((row, index) => (
                <tr key={index}>
                  {columns.map(column => (
                    <td key={column.title} className={side(column)}>
                      {column.cell(row)}
                    </td>
                  ))}
                  {codeOf && (
                    <td>
                      <CodeHandle {...codeOf(row)} trans={trans} />
                    </td>
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {note && rows.length > 0 && <p className="jp-ModelOpsPage-quiet">{note}</p>}
      {rows.length > most && (
        <button type="button" className="jp-ModelOpsLink" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? trans.__('Show fewer') : trans.__('Show all %1', String(rows.length))}
        </button>
      )}
    </section>
  );
}
