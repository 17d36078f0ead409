import { HTMLSelect } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import { inOrder, metricOf, rowsOf, sameRows } from '../../evidence';
import { metricName, NOTHING, number, signed } from '../../format';
import type { IVersion } from '../../tokens';
import { Section } from '../Facts';
import type { ITab } from '../page';
import { Table } from '../Table';
import { CompareRows } from './CompareRows';
import { versionFacts } from './Versions';

/** Two versions beside each other: what their evaluations showed, and where they differ in origin. */
export function Compare({ page, client, files, trans }: ITab): JSX.Element {
  const newest = page.versions[0];
  const [left, setLeft] = React.useState(page.summary.champion ?? page.versions[1]?.version ?? newest?.version);
  const [right, setRight] = React.useState(page.versions.find(one => one.version !== left)?.version);
  const a = page.versions.find(one => one.version === left);
  const b = page.versions.find(one => one.version === right);
  if (page.versions.length < 2 || !a || !b) {
    return (
      <Section title={trans.__('Compare')}>
        <p className="jp-ModelOpsPage-quiet">{trans.__('There is one version so far: register another to compare.')}</p>
      </Section>
    );
  }
  return (
    <>
      <div className="jp-ModelOpsPage-choice">
        <Pick label={trans.__('Version')} versions={page.versions} value={a.version} pick={setLeft} trans={trans} />
        <Pick label={trans.__('compared with')} versions={page.versions} value={b.version} pick={setRight} trans={trans} />
      </div>
      <Evaluations a={a} b={b} trans={trans} />
      <CompareRows a={a} b={b} client={client} files={files} trans={trans} />
      <Differences a={a} b={b} trans={trans} />
    </>
  );
}

interface IPickProps {
  readonly label: string;
  readonly versions: readonly IVersion[];
  readonly value: number;
  readonly disabled?: boolean;
  readonly pick: (version: number) => void;
  readonly trans: TranslationBundle;
}

/** A choice of one of the model's versions. */
export function Pick({ label, versions, value, disabled = false, pick, trans }: IPickProps): JSX.Element {
  return (
    <label>
      {label}
      <HTMLSelect
        value={value}
        disabled={disabled}
        onChange={event => pick(Number(event.currentTarget.value))}
      >
        {versions.map(({ version, aliases }) => (
          <option key={version} value={version}>
            {aliases ? trans.__('%1 (%2)', String(version), aliases) : version}
          </option>
        ))}
      </HTMLSelect>
    </label>
  );
}

interface IPair {
  readonly a: IVersion;
  readonly b: IVersion;
  readonly trans: TranslationBundle;
}

function Evaluations({ a, b, trans }: IPair): JSX.Element {
  const names = inOrder([...new Set([...Object.keys(a.metrics), ...Object.keys(b.metrics)])]);
  const shared = names.filter(name => a.metrics[name] !== undefined && b.metrics[name] !== undefined);
  const change = (name: string): string => {
    const [before, after] = [a.metrics[name], b.metrics[name]];
    return before === undefined || after === undefined || !sameRows(a, b, name) ? NOTHING : signed(after - before);
  };
  const figure = (version: IVersion) => (name: string): React.ReactNode => <Figure version={version} name={name} trans={trans} />;
  return (
    <Table<string>
      title={trans.__('Evaluation on record')}
      rows={names}
      trans={trans}
      empty={trans.__('Neither version has metrics: nothing was measured, and nothing claimed.')}
      note={shared.every(name => sameRows(a, b, name)) ? '' : otherRows(a, b, shared, trans)}
      columns={[
        { title: trans.__('Metric'), wraps: true, cell: name => metricName(name) },
        { title: trans.__('Version %1', String(a.version)), numeric: true, cell: figure(a) },
        { title: trans.__('Version %1', String(b.version)), numeric: true, cell: figure(b) },
        { title: trans.__('Change'), numeric: true, cell: change }
      ]}
    />
  );
}

/** One metric of a version, as measured or claimed. */
function Figure({ version, name, trans }: { version: IVersion; name: string; trans: TranslationBundle }): JSX.Element {
  const metric = metricOf(version, name);
  if (!metric) {
    return <>{NOTHING}</>;
  }
  const source = metric.measured ? trans.__('measured') : trans.__('claimed');
  const claim = metric.claim === null ? '' : ` (${trans.__('claimed: %1', number(metric.claim))})`;
  return (
    <>
      {number(metric.value)} <span className="jp-ModelOpsPage-quiet">{`${source}${claim}`}</span>
    </>
  );
}

/** Why no change is shown between figures of two versions. */
function otherRows(a: IVersion, b: IVersion, names: readonly string[], trans: TranslationBundle): string {
  return names.every(name => rowsOf(a, name) && rowsOf(b, name))
    ? trans.__('Metrics of different rows have no change to show: compare the versions on the same rows below.')
    : trans.__('Where it is not on record that two metrics are of the same rows, no change is shown: compare the versions on the same rows below.');
}

function Differences({ a, b, trans }: IPair): JSX.Element {
  const text = (version: IVersion): ReadonlyMap<string, React.ReactNode> => new Map(versionFacts(version, trans));
  const [left, right] = [text(a), text(b)];
  return (
    <Table<string>
      title={trans.__('Origin')}
      rows={[...left.keys()].filter(title => left.get(title) || right.get(title))}
      trans={trans}
      most={20}
      empty=""
      columns={[
        { title: trans.__('Fact'), cell: title => title },
        { title: trans.__('Version %1', String(a.version)), wraps: true, cell: title => left.get(title) || NOTHING },
        { title: trans.__('Version %1', String(b.version)), wraps: true, cell: title => right.get(title) || NOTHING }
      ]}
    />
  );
}
