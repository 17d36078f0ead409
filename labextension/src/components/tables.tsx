import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import { capital, metricName, NOTHING, number, sentence, shortTime } from '../format';
import { alertCode, versionCode } from '../code';
import { seriesName } from '../performance';
import type { IAlert, IAuditEntry, IOverview, ISeries, ITransition, IVersion, IWindow } from '../tokens';
import { Moment } from './Moment';
import { Table } from './Table';

interface IRows<T> {
  readonly rows: readonly T[];
  readonly trans: TranslationBundle;
}

interface IAlertsTableProps extends IRows<IAlert> {
  readonly title: string;
  /** The model's name, which its own page need not repeat. */
  readonly name: string;
  /** Whether to say how it stands with each. */
  readonly state?: boolean;
}

export function AlertsTable({ title, rows, name, state, trans }: IAlertsTableProps): JSX.Element {
  return (
    <Table<IAlert>
      title={title}
      rows={rows}
      trans={trans}
      empty={state ? trans.__('No alerts.') : trans.__('No open alerts.')}
      codeOf={alert => ({ label: trans.__('alerts of %1', alert.model), code: alertCode(alert) })}
      columns={[
        { title: trans.__('Since'), cell: alert => shortTime(alert.window_start) },
        ...(state ? [{ title: trans.__('State'), cell: (alert: IAlert) => alert.state }] : []),
        { title: trans.__('Predictions'), cell: alert => (alert.role === 'served' ? alert.role : seriesName(alert)) },
        { title: trans.__('Kind'), cell: alert => alert.kind },
        { title: trans.__('Column'), cell: alert => alert.column || NOTHING },
        { title: trans.__('Metric'), cell: alert => metricName(alert.metric) },
        { title: trans.__('Figure'), numeric: true, cell: alert => number(alert.figure) },
        { title: trans.__('Threshold'), numeric: true, cell: alert => number(alert.threshold) },
        { title: trans.__('What it says'), wraps: true, cell: alert => alertText(alert, name) }
      ]}
    />
  );
}

/** Versions whose predictions were not the answer: their last figure beside that of the service. */
export function SeriesTable({ page, trans }: { page: IOverview; trans: TranslationBundle }): JSX.Element | null {
  if (page.beside.length === 0) {
    return null;
  }
  const lastOf = ({ windows }: ISeries): IWindow | undefined => [...windows].reverse().find(({ value }) => value !== null);
  const servedThen = (series: ISeries): number | null => {
    const last = lastOf(series);
    return page.windows.find(window => window.start === last?.start)?.value ?? null;
  };
  return (
    <Table<ISeries>
      title={trans.__('Beside what was served')}
      rows={page.beside}
      trans={trans}
      empty=""
      note={trans.__('Figures and alerts of their own, against the reference of their version; they open no incident.')}
      columns={[
        { title: trans.__('Series'), cell: seriesName },
        { title: trans.__('Windows'), numeric: true, cell: series => series.windows.length },
        { title: trans.__('Rows'), numeric: true, cell: ({ windows }) => windows.reduce((sum, { rows }) => sum + rows, 0) },
        { title: trans.__('Last window'), cell: series => shortTime(lastOf(series)?.start ?? null) },
        { title: capital(metricName(page.metric)), numeric: true, cell: series => number(lastOf(series)?.value ?? null) },
        { title: trans.__('Served then'), numeric: true, cell: series => number(servedThen(series)) },
        { title: trans.__('When validated'), numeric: true, cell: ({ expected }) => number(expected) },
        { title: trans.__('Open alerts'), numeric: true, cell: series => series.open_alerts }
      ]}
    />
  );
}

interface IVersionsTableProps extends IRows<IVersion> {
  readonly picked: number | null;
  readonly pick: (version: number) => void;
}

export function VersionsTable({ rows, picked, pick, trans }: IVersionsTableProps): JSX.Element {
  return (
    <Table<IVersion>
      title={trans.__('Versions')}
      rows={rows}
      trans={trans}
      empty={trans.__('No versions.')}
      codeOf={({ name, version }) => ({ label: `${name}/${version}`, code: versionCode(name, version) })}
      columns={[
        {
          title: trans.__('Version'),
          cell: ({ version }) => (
            <button
              type="button"
              className="jp-ModelOpsLink"
              aria-pressed={version === picked}
              aria-label={trans.__('Version %1', String(version))}
              onClick={() => pick(version)}
            >
              {version}
            </button>
          )
        },
        { title: trans.__('Aliases'), cell: version => <Aliases text={version.aliases} /> },
        {
          title: trans.__('Format'),
          cell: version =>
            version.unsafe
              ? trans.__('%1 (unsafe)', version.flavor)
              : version.calls
                ? trans.__('%1 (calls project code)', version.flavor)
                : version.flavor
        },
        { title: trans.__('Evaluation'), wraps: true, cell: version => sentence(version.evaluation) || NOTHING },
        { title: trans.__('By'), cell: version => version.created_by },
        { title: trans.__('Registered'), cell: version => <Moment at={version.created_at} /> }
      ]}
    />
  );
}

export function HistoryTable({ title, rows, trans }: IRows<ITransition> & { title: string }): JSX.Element {
  return (
    <Table<ITransition>
      title={title}
      rows={rows}
      trans={trans}
      empty={trans.__('No version was promoted yet.')}
      columns={[
        { title: trans.__('When'), cell: move => <Moment at={move.at} /> },
        { title: trans.__('What'), cell: move => (move.action === 'promote' ? trans.__('promotion') : move.action) },
        { title: trans.__('Alias'), cell: move => move.alias },
        { title: trans.__('From'), numeric: true, cell: move => move.from_version ?? NOTHING },
        { title: trans.__('To'), numeric: true, cell: move => move.to_version },
        { title: trans.__('By'), cell: move => move.actor },
        { title: trans.__('Reason'), wraps: true, cell: move => move.reason }
      ]}
    />
  );
}

export function DecisionsTable({ rows, trans }: IRows<IAuditEntry>): JSX.Element {
  return (
    <Table<IAuditEntry>
      title={trans.__('Approvals, rejections, comments')}
      rows={rows}
      trans={trans}
      empty={trans.__('Nobody has decided anything yet.')}
      columns={[
        { title: trans.__('When'), cell: entry => <Moment at={entry.at} /> },
        { title: trans.__('What'), cell: entry => decisionWord(entry, trans) },
        { title: trans.__('Version'), cell: entry => entry.subject.slice(entry.subject.lastIndexOf('/') + 1) },
        { title: trans.__('By'), cell: entry => entry.actor },
        { title: trans.__('Identity'), cell: entry => entry.assurance },
        { title: trans.__('Reason'), wraps: true, cell: entry => String(entry.details['reason'] ?? '') }
      ]}
    />
  );
}

function decisionWord({ action, details }: IAuditEntry, trans: TranslationBundle): string {
  switch (action) {
    case 'approve':
      return details['self_review'] ? trans.__('approval (self-review)') : trans.__('approval');
    case 'reject':
      return trans.__('rejection');
    default:
      return trans.__('comment');
  }
}

export function AuditTable({ title, rows, trans }: IRows<IAuditEntry> & { title: string }): JSX.Element {
  return (
    <Table<IAuditEntry>
      title={title}
      rows={rows}
      trans={trans}
      empty={trans.__('Nothing on record yet.')}
      columns={[
        { title: trans.__('No.'), numeric: true, cell: entry => entry.sequence },
        { title: trans.__('When'), cell: entry => <Moment at={entry.at} /> },
        { title: trans.__('What'), cell: entry => entry.action },
        { title: trans.__('Subject'), cell: entry => entry.subject },
        { title: trans.__('By'), cell: entry => entry.actor },
        { title: trans.__('Identity'), cell: entry => entry.assurance },
        { title: trans.__('Details'), wraps: true, cell: entry => entry.detail || NOTHING },
        { title: trans.__('Hash'), cell: entry => <code title={entry.hash}>{entry.hash.slice(0, 12)}</code> }
      ]}
    />
  );
}

export function WindowsTable({ rows, metric, trans }: IRows<IWindow> & { metric: string | null }): JSX.Element {
  return (
    <Table<IWindow>
      title={trans.__('Windows')}
      rows={rows}
      trans={trans}
      empty={trans.__('No windows.')}
      columns={[
        { title: trans.__('From'), cell: window => shortTime(window.start) },
        { title: trans.__('Rows'), numeric: true, cell: window => number(window.rows) },
        { title: trans.__('With outcome'), numeric: true, cell: window => number(window.labelled) },
        { title: trans.__('Version'), numeric: true, cell: window => window.version ?? NOTHING },
        { title: metricName(metric) || trans.__('Figure'), numeric: true, cell: window => number(window.value) },
        { title: trans.__('95 % interval'), numeric: true, cell: interval },
        { title: trans.__('Estimated'), numeric: true, cell: window => number(window.estimated) },
        { title: trans.__('Remark'), wraps: true, cell: window => window.reason ?? '' }
      ]}
    />
  );
}

function interval({ low, high }: IWindow): string {
  return low === null || high === null ? NOTHING : `${number(low)} to ${number(high)}`;
}

/** An alert's message as a sentence, without the model's name: the page has it in its title. */
function alertText({ message, metric, suppressed }: IAlert, name: string): string {
  const own = message.startsWith(`${name}: `) ? message.slice(name.length + 2) : message;
  const text = capital(sentence(own.replace(metric, () => metricName(metric))));
  return suppressed ? `${text} ${capital(suppressed)}.` : text;
}

function Aliases({ text }: { text: string }): JSX.Element {
  const names = text.split(', ').filter(Boolean);
  return names.length === 0 ? (
    <>{NOTHING}</>
  ) : (
    <>
      {names.map(name => (
        <span key={name} className="jp-ModelOpsPage-alias">
          {name}
        </span>
      ))}
    </>
  );
}
