import { Button, InputGroup } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import { UUID } from '@lumino/coreutils';
import React from 'react';
import { capital, metricName, NOTHING, number, signed } from '../../format';
import { type IJob, JobModel } from '../../run/JobModel';
import type { IComparison, IMetricComparison, IVersion } from '../../tokens';
import { useAnswer } from '../../useAnswer';
import { useModel } from '../../useModel';
import { ActButton } from '../ActButton';
import { Section } from '../Facts';
import { Failed, Loading } from '../Notice';
import type { ITab } from '../page';
import { Table } from '../Table';

interface ICompareRowsProps extends Pick<ITab, 'client' | 'files' | 'trans'> {
  readonly a: IVersion;
  readonly b: IVersion;
}

/** Two versions on rows that are given: a form, then a job, then every metric with its interval. */
export function CompareRows({ a, b, client, files, trans }: ICompareRowsProps): JSX.Element {
  const [version, other] = [`${a.name}/${a.version}`, `${b.name}/${b.version}`];
  const last = useAnswer(async () => {
    const { rows } = await client.get<{ rows: readonly IJob[] }>('jobs', { limit: 50 });
    return rows.find(job => isOf(job, version, other)) ?? null;
  }, [version, other]);
  const [job, setJob] = React.useState<JobModel | null>(null);
  React.useEffect(() => setJob(last.data ? new JobModel(last.data.id, client) : null), [last.data]);
  React.useEffect(() => () => job?.dispose(), [job]);
  useModel(job);
  const given = job?.job?.arguments ?? {};
  if (last.data === undefined && !last.error) {
    return <Loading trans={trans} />;
  }
  return (
    <Section title={trans.__('On given rows')}>
      <Form
        key={job?.job?.id ?? `${version} ${other}`}
        data={String(given['data'] ?? b.inputs[0] ?? '')}
        target={String(given['target'] ?? '')}
        segments={((given['segments'] ?? []) as readonly string[]).join(', ')}
        busy={job?.running ?? false}
        files={files}
        trans={trans}
        start={async (body, key) => {
          const begun = await client.post<IJob>('compare', { version, other, ...body }, key);
          setJob(new JobModel(begun.id, client));
        }}
      />
      {last.error && <Failed error={last.error} busy={last.busy} stale={false} trans={trans} retry={last.again} />}
      {job && <Progress job={job} client={client} trans={trans} />}
    </Section>
  );
}

function isOf({ operation, arguments: given }: IJob, version: string, other: string): boolean {
  return operation === 'compare' && given['version'] === version && given['other'] === other;
}

interface IWanted {
  readonly data: string;
  readonly target?: string;
  readonly segments?: readonly string[];
}

interface IFormProps extends Pick<ITab, 'files' | 'trans'> {
  readonly data: string;
  readonly target: string;
  readonly segments: string;
  readonly busy: boolean;
  readonly start: (body: IWanted, key: string) => Promise<void>;
}

function Form({ files, trans, busy, start, ...initial }: IFormProps): JSX.Element {
  const [data, setData] = React.useState(initial.data);
  const [target, setTarget] = React.useState(initial.target);
  const [segments, setSegments] = React.useState(initial.segments);
  const [pending, setPending] = React.useState(false);
  const [error, setError] = React.useState<Error | null>(null);
  const submit = (): void => {
    const columns = segments.split(',').map(name => name.trim()).filter(Boolean);
    const body = { data: data.trim(), ...(target.trim() ? { target: target.trim() } : {}), segments: columns };
    setPending(true);
    setError(null);
    start(body, UUID.uuid4())
      .catch((refusal: Error) => setError(refusal))
      .finally(() => setPending(false));
  };
  const ready = data.trim() !== '' && !pending && !busy;
  return (
    <form
      className="jp-ModelOpsRows"
      aria-label={trans.__('Rows to compare on')}
      onSubmit={event => {
        event.preventDefault();
        if (ready) {
          submit();
        }
      }}
    >
      <Field label={trans.__('Rows')} note={trans.__('.parquet, .csv or delta:FOLDER')} value={data} change={setData} />
      <ActButton on={() => void files.pickTable().then(path => path !== null && setData(path))}>
        {trans.__('Browse…')}
      </ActButton>
      <Field label={trans.__('Outcomes')} note={trans.__('a column of the rows')} value={target} change={setTarget} />
      <Field label={trans.__('Segments')} note={trans.__('columns, with commas')} value={segments} change={setSegments} />
      <Button className="jp-mod-styled jp-mod-accept" type="submit" disabled={!ready}>
        {pending || busy ? trans.__('Comparing…') : trans.__('Compare')}
      </Button>
      {error && (
        <p className="jp-ModelOpsNotice jp-mod-failed" role="alert">
          {error.message}
        </p>
      )}
    </form>
  );
}

interface IFieldProps {
  readonly label: string;
  readonly note: string;
  readonly value: string;
  readonly change: (text: string) => void;
}

function Field({ label, note, value, change }: IFieldProps): JSX.Element {
  const id = React.useId();
  return (
    <div>
      <label htmlFor={id}>{label}</label>
      <InputGroup id={id} placeholder={note} value={value} onChange={event => change(event.currentTarget.value)} />
    </div>
  );
}

interface IProgressProps extends Pick<ITab, 'client' | 'trans'> {
  readonly job: JobModel;
}

function Progress({ job, client, trans }: IProgressProps): JSX.Element {
  const state = job.job?.state;
  const done = state === 'completed' ? () => client.get<IJob>(`jobs/${job.id}`) : null;
  const found = useAnswer(done, [job.id, state]);
  const failure = job.error ?? job.job?.error;
  if (failure) {
    return (
      <p className="jp-ModelOpsNotice jp-mod-failed" role="alert">
        {failure.message}
      </p>
    );
  }
  if (job.running) {
    return (
      <div className="jp-ModelOpsActions">
        <span role="status">
          {job.lost ? trans.__('The connection is lost: trying again.') : trans.__('Both versions score the rows…')}
        </span>
        <ActButton on={() => void job.cancel()} disabled={job.cancelling}>
          {trans.__('Cancel')}
        </ActButton>
      </div>
    );
  }
  if (found.error) {
    return <Failed error={found.error} busy={found.busy} stale={false} trans={trans} retry={found.again} />;
  }
  if (state !== 'completed') {
    return <p role="status">{state === 'cancelled' ? trans.__('Cancelled.') : trans.__('Interrupted: compare again.')}</p>;
  }
  return found.data ? <Result found={found.data.result as IComparison} trans={trans} /> : <Loading trans={trans} />;
}

function Result({ found, trans }: { found: IComparison; trans: TranslationBundle }): JSX.Element {
  const sliced = found.metrics.some(metric => metric.segment !== '');
  return (
    <>
      <p role="status">{found.conclusion}</p>
      <Table<IMetricComparison>
        title={trans.__('%1 and %2 on %3 rows', found.a, found.b, number(found.rows))}
        rows={found.metrics}
        trans={trans}
        empty={trans.__('There is no figure that both versions have.')}
        columns={[
          ...(sliced ? [{ title: trans.__('Segment'), cell: (one: IMetricComparison) => one.segment || trans.__('all') }] : []),
          { title: trans.__('Metric'), cell: one => capital(metricName(one.metric)) },
          ...(sliced ? [{ title: trans.__('Rows'), numeric: true, cell: (one: IMetricComparison) => number(one.rows) }] : []),
          { title: found.a, numeric: true, cell: one => number(one.a) },
          { title: found.b, numeric: true, cell: one => number(one.b) },
          { title: trans.__('Difference [95 % interval]'), numeric: true, cell: difference },
          { title: trans.__('Better'), wraps: true, cell: one => one.reason ?? better(one, found, trans) }
        ]}
      />
    </>
  );
}

function better({ better: side }: IMetricComparison, { a, b }: IComparison, trans: TranslationBundle): string {
  return side === 'a' ? a : side === 'b' ? b : trans.__('neither');
}

function difference({ difference: value, low, high }: IMetricComparison): string {
  if (value === null) {
    return NOTHING;
  }
  return low === null || high === null ? signed(value) : `${signed(value)} [${signed(low)}, ${signed(high)}]`;
}
