import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { Client } from '../api';
import { percent, shortTime } from '../format';
import type { IDistribution } from '../tokens';
import { useAnswer } from '../useAnswer';
import { Section } from './Facts';
import { Failed, Loading } from './Notice';

interface IDistributionProps {
  readonly name: string;
  readonly column: string;
  readonly client: Client;
  /** Asked again when this changes. */
  readonly of: unknown;
  readonly trans: TranslationBundle;
}

/** A column's shares by bin, in the last windows beside the reference. */
export function DistributionChart({ name, column, client, of, trans }: IDistributionProps): JSX.Element {
  const { data, error, busy, again } = useAnswer(
    () => client.get<IDistribution>('distribution', { name, column }),
    [name, column, of]
  );
  return (
    <Section title={trans.__('Distribution of %1', column)}>
      {error && <Failed error={error} busy={busy} stale={false} trans={trans} retry={again} />}
      {!data && !error && <Loading trans={trans} />}
      {data && <Shares data={data} trans={trans} />}
    </Section>
  );
}

function Shares({ data, trans }: { data: IDistribution; trans: TranslationBundle }): JSX.Element {
  const most = Math.max(...data.reference, ...data.current, 1e-9);
  const now = trans.__('%1 to %2', shortTime(data.since), shortTime(data.until));
  return (
    <div className="jp-ModelOpsTable jp-ModelOpsShares" tabIndex={0} role="group" aria-label={trans.__('Shares by bin')}>
      <table>
        <thead>
          <tr>
            <th scope="col">{trans.__('Bin')}</th>
            <th scope="col" className="jp-mod-reference">
              {trans.__('Reference')}
            </th>
            <th scope="col" className="jp-mod-current">
              {now}
            </th>
          </tr>
        </thead>
        <tbody>
          {data.bins.map((bin, index) => (
            <tr key={bin}>
              <th scope="row">{bin}</th>
              <Share value={data.reference[index] ?? 0} most={most} kind="reference" />
              <Share value={data.current[index] ?? 0} most={most} kind="current" />
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Share({ value, most, kind }: { value: number; most: number; kind: string }): JSX.Element {
  return (
    <td className={`jp-mod-${kind}`}>
      <span style={{ width: `${(value / most) * 70}%` }} />
      {percent(value)}
    </td>
  );
}
