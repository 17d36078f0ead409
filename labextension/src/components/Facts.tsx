import React from 'react';

/** A row of facts, each a small title over its value. */
export function Facts({ children }: { children: React.ReactNode }): JSX.Element {
  return <dl className="jp-ModelOpsPage-facts">{children}</dl>;
}

interface IFactProps {
  readonly title: string;
  readonly note?: string | undefined;
  readonly children: React.ReactNode;
}

export function Fact({ title, note, children }: IFactProps): JSX.Element {
  return (
    <div>
      <dt>{title}</dt>
      <dd>{children}</dd>
      {note && <dd className="jp-ModelOpsPage-quiet">{note}</dd>}
    </div>
  );
}

/** Facts one under the other, for what is long or many; those without a value are left out. */
export function FactList({ rows }: { rows: readonly (readonly [string, React.ReactNode])[] }): JSX.Element {
  return (
    <dl className="jp-ModelOpsPage-list">
      {rows
        .filter(([, value]) => value !== null && value !== undefined && value !== '')
        .map(([title, value]) => (
          <React.Fragment key={title}>
            <dt>{title}</dt>
            <dd>{value}</dd>
          </React.Fragment>
        ))}
    </dl>
  );
}

/** A part of a page under a heading of its own. */
export function Section({ title, children }: { title: string; children: React.ReactNode }): JSX.Element {
  const id = React.useId();
  return (
    <section className="jp-ModelOpsPage-section" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {children}
    </section>
  );
}
