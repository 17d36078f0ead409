import React from 'react';
import { kindWord, metricName, NOTHING, number, shortTime } from '../../format';
import { Fact, Facts } from '../Facts';
import { Incidents } from '../Incidents';
import type { ITab } from '../page';
import { Performance } from '../Performance';
import { Remarks } from '../Remarks';
import { AlertsTable, HistoryTable, SeriesTable } from '../tables';

const MOVES = 3;

/** How the model is and what happened last. */
export function Overview({ page, client, trans, show, handle }: ITab): JSX.Element {
  const open = React.useMemo(() => page.alerts.filter(alert => alert.state === 'open'), [page]);
  const moves = React.useMemo(() => [...page.transitions].reverse().slice(0, MOVES), [page]);
  return (
    <>
      <Summary page={page} trans={trans} />
      <Remarks page={page} />
      <Performance page={page} trans={trans} />
      <SeriesTable page={page} trans={trans} />
      {page.alerts.length > 0 && <Incidents page={page} client={client} trans={trans} handle={handle} />}
      <AlertsTable title={trans.__('Open alerts')} rows={open} name={page.summary.name} trans={trans} />
      <HistoryTable title={trans.__('Last promotions and rollbacks')} rows={moves} trans={trans} />
      {page.transitions.length > MOVES && (
        <button type="button" className="jp-ModelOpsLink" onClick={() => show('governance')}>
          {trans.__('All %1 under Governance', String(page.transitions.length))}
        </button>
      )}
    </>
  );
}

function Summary({ page, trans }: Pick<ITab, 'page' | 'trans'>): JSX.Element {
  const { summary } = page;
  const known = page.windows.filter(window => window.value !== null);
  const last = known[known.length - 1];
  const level = last?.version == null ? undefined : page.expected[last.version];
  return (
    <Facts>
      <Fact title={trans.__('Champion')}>
        {summary.champion === null ? trans.__('none yet') : trans.__('version %1', String(summary.champion))}
      </Fact>
      <Fact title={trans.__('Open alerts')}>{summary.open_alerts}</Fact>
      {last && (
        <Fact
          title={trans.__('Last %1', metricName(page.metric))}
          note={level === undefined ? undefined : trans.__('expected %1', number(level))}
        >
          {number(last.value)}
        </Fact>
      )}
      <Fact title={trans.__('Data through')}>
        {summary.data_through === null ? NOTHING : shortTime(summary.data_through)}
      </Fact>
      <Fact title={trans.__('Versions')}>{summary.versions}</Fact>
      <Fact title={trans.__('Kind')}>{kindWord(summary.kind, trans)}</Fact>
      {summary.owner && <Fact title={trans.__('Owner')}>{summary.owner}</Fact>}
      {summary.risk_tier && <Fact title={trans.__('Risk tier')}>{summary.risk_tier}</Fact>}
    </Facts>
  );
}
