import React from 'react';
import type { ITab } from '../page';
import { DistributionChart } from '../DistributionChart';
import { DriftTable } from '../DriftTable';
import { Performance } from '../Performance';
import { Remarks } from '../Remarks';
import { AlertsTable, SeriesTable } from '../tables';

/** Performance, drift by column, a column's distribution, and every alert there was. */
export function Monitoring({ page, client, trans }: ITab): JSX.Element {
  const [column, setColumn] = React.useState<string | null>(null);
  return (
    <>
      <Remarks page={page} />
      <Performance page={page} trans={trans} />
      <SeriesTable page={page} trans={trans} />
      <DriftTable drift={page.drift} picked={column} pick={setColumn} trans={trans} />
      {column !== null && (
        <DistributionChart name={page.summary.name} column={column} client={client} of={page} trans={trans} />
      )}
      <AlertsTable title={trans.__('Alerts')} rows={page.alerts} name={page.summary.name} trans={trans} state />
    </>
  );
}
