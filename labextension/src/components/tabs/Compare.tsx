import { HTMLSelect } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
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
  const names = [...new Set([...Object.keys(a.metrics), ...Object.keys(b.metrics)])];
  const sameRows = Boolean(a.outcomes_fingerprint) && a.outcomes_fingerprint === b.outcomes_fingerprint;
  const change = (name: string): string => {
    const [before, after] = [a.metrics[name], b.metrics[name]];
    return before === undefined || after === undefined || !sameRows ? NOTHING : signed(after - before);
  };
  return (
    <Table<string>
      title={trans.__('Evaluation on record')}
      rows={names}
      trans={trans}
      empty={trans.__('Neither version was registered with metrics.')}
      note={sameRows ? '' : otherRows({ a, b, trans })}
      columns={[
        { title: trans.__('Metric'), wraps: true, cell: name => metricName(name) },
        { title: trans.__('Version %1', String(a.version)), numeric: true, cell: name => number(a.metrics[name]) },
        { title: trans.__('Version %1', String(b.version)), numeric: true, cell: name => number(b.metrics[name]) },
        { title: trans.__('Change'), numeric: true, cell: change }
      ]}
    />
  );
}

/** Why no change is shown between figures of two versions. */
function otherRows({ a, b, trans }: IPair): string {
  return a.outcomes_fingerprint && b.outcomes_fingerprint
    ? trans.__('These versions were validated on different rows, so no change of their figures is shown: compare them on the same rows below.')
    : trans.__('It is not on record that these versions were validated on the same rows, so no change of their figures is shown: compare them on the same rows below.');
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
