import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import { capital, kindWord, metricName, NOTHING, number, shortTime } from '../format';
import type { IOverview } from '../tokens';
import { HealthLabel } from './Health';
import { Failed, Loading } from './Notice';
import { PerformanceChart } from './PerformanceChart';
import { AlertsTable, AuditTable, HistoryTable, VersionsTable, WindowsTable } from './tables';

interface IModelPageProps {
  readonly page: IOverview | undefined;
  readonly error: Error | undefined;
  readonly busy: boolean;
  readonly trans: TranslationBundle;
  readonly retry: () => void;
}

/** One model: how it is, how it did, what happened to it. */
export function ModelPage({ page, error, busy, trans, retry }: IModelPageProps): JSX.Element {
  return (
    <>
      {error && <Failed error={error} busy={busy} stale={!!page} trans={trans} retry={retry} />}
      {!page && !error && <Loading trans={trans} />}
      {page && <Content page={page} trans={trans} />}
    </>
  );
}

function Content({ page, trans }: { page: IOverview; trans: TranslationBundle }): JSX.Element {
  const open = React.useMemo(() => page.alerts.filter(alert => alert.state === 'open'), [page]);
  const history = React.useMemo(() => [...page.transitions].reverse(), [page]);
  return (
    <article>
      <header className="jp-ModelOpsPage-header">
        <h1>{page.summary.name}</h1>
        {page.description && <p>{page.description}</p>}
        <Facts page={page} trans={trans} />
      </header>
      <Performance page={page} trans={trans} />
      <AlertsTable rows={open} name={page.summary.name} trans={trans} />
      <VersionsTable rows={page.versions} trans={trans} />
      <HistoryTable rows={history} trans={trans} />
      <AuditTable rows={page.audit} trans={trans} />
    </article>
  );
}

function Facts({ page, trans }: { page: IOverview; trans: TranslationBundle }): JSX.Element {
  const { summary } = page;
  const known = page.windows.filter(window => window.value !== null);
  const last = known[known.length - 1];
  const level = last?.version == null ? undefined : page.expected[last.version];
  return (
    <dl className="jp-ModelOpsPage-facts">
      <Fact title={trans.__('Health')}>
        <HealthLabel health={summary.health} trans={trans} />
      </Fact>
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
      <Fact title={trans.__('Monitored through')}>
        {summary.last_window === null ? NOTHING : shortTime(summary.last_window)}
      </Fact>
      <Fact title={trans.__('Versions')}>{summary.versions}</Fact>
      <Fact title={trans.__('Kind')}>
        {kindWord(summary.kind, trans)}
      </Fact>
    </dl>
  );
}

interface IFactProps {
  readonly title: string;
  readonly note?: string | undefined;
  readonly children: React.ReactNode;
}

function Fact({ title, note, children }: IFactProps): JSX.Element {
  return (
    <div>
      <dt>{title}</dt>
      <dd>{children}</dd>
      {note && <dd className="jp-ModelOpsPage-quiet">{note}</dd>}
    </div>
  );
}

function Performance({ page, trans }: { page: IOverview; trans: TranslationBundle }): JSX.Element {
  const [figures, setFigures] = React.useState(false);
  const newest = React.useMemo(() => [...page.windows].reverse(), [page]);
  const id = React.useId();
  if (page.windows.every(window => window.value === null)) {
    return (
      <section className="jp-ModelOpsPage-section" aria-labelledby={id}>
        <h2 id={id}>{trans.__('Performance')}</h2>
        <p className="jp-ModelOpsPage-quiet">
          {page.windows.length === 0
            ? trans.__('Never monitored: log predictions, then run ws.monitor("%1").', page.summary.name)
            : trans.__('No outcomes yet: log them with ws.log_labels("%1", …), then monitor again.', page.summary.name)}
        </p>
      </section>
    );
  }
  return (
    <section className="jp-ModelOpsPage-section" aria-labelledby={id}>
      <h2 id={id}>{trans.__('%1 over time', capital(metricName(page.metric)))}</h2>
      <PerformanceChart page={page} trans={trans} />
      <button type="button" className="jp-ModelOpsLink" aria-expanded={figures} onClick={() => setFigures(!figures)}>
        {figures ? trans.__('Hide the figures') : trans.__('Show the figures')}
      </button>
      {figures && <WindowsTable rows={newest} metric={page.metric} trans={trans} />}
    </section>
  );
}
