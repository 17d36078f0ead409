import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import { capital, metricName } from '../format';
import type { IOverview } from '../tokens';
import { Section } from './Facts';
import { PerformanceChart } from './PerformanceChart';
import { WindowsTable } from './tables';

/** The metric over time, as a chart and, where asked for, as figures; or what is missing for it. */
export function Performance({ page, trans }: { page: IOverview; trans: TranslationBundle }): JSX.Element {
  const [figures, setFigures] = React.useState(false);
  const newest = React.useMemo(() => [...page.windows].reverse(), [page]);
  if (page.windows.every(window => window.value === null && window.estimated === null)) {
    return (
      <Section title={trans.__('Performance')}>
        <p className="jp-ModelOpsPage-quiet">
          {page.windows.length === 0
            ? trans.__('Never monitored: log predictions, then run ws.monitor("%1").', page.summary.name)
            : page.no_figures ||
              trans.__('No outcomes yet: log them with ws.log_labels("%1", …), then monitor again.', page.summary.name)}
        </p>
      </Section>
    );
  }
  return (
    <Section title={trans.__('%1 over time', capital(metricName(page.metric)))}>
      <PerformanceChart page={page} trans={trans} />
      <button type="button" className="jp-ModelOpsLink" aria-expanded={figures} onClick={() => setFigures(!figures)}>
        {figures ? trans.__('Hide the figures') : trans.__('Show the figures')}
      </button>
      {figures && <WindowsTable rows={newest} metric={page.metric} trans={trans} />}
    </Section>
  );
}
