import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import { ActButton } from '../components/ActButton';
import { HealthIcon } from '../components/Health';
import { localTime } from '../format';
import type { Health } from '../tokens';
import { useAnswer } from '../useAnswer';
import type { ICell, IJob, JobModel, JobState } from './JobModel';

interface IRunProgressProps {
  readonly model: JobModel;
  readonly output: string;
  readonly trans: TranslationBundle;
  readonly openOutput: (path: string) => void;
  readonly again: () => void;
}

/** How a run goes: cell by cell, its log, and what can be done about it. */
export function RunProgress({ model, output, trans, openOutput, again }: IRunProgressProps): JSX.Element {
  const { job, cells, running } = model;
  const last = cells[cells.length - 1];
  const done = cells.filter(cell => cell.state === 'completed').length;
  const [shown, setShown] = React.useState(false);
  const log = useAnswer(shown ? () => model.log() : null, [model.id, running, done]);
  const target = String(job?.arguments['output'] ?? output);
  return (
    <section className="jp-ModelOpsRun-progress" aria-label={trans.__('Progress')}>
      <p className="jp-ModelOpsRun-state" role="status">
        <HealthIcon health={stateHealth(job?.state)} />
        {stateWords(job, cells, trans)}
        {model.lost && ` ${trans.__('The connection is lost: trying again.')}`}
      </p>
      <progress max={last?.total ?? 1} value={done} aria-label={trans.__('Cells done')} />
      {(model.error ?? job?.error) && (
        <p className="jp-ModelOpsNotice jp-mod-failed" role="alert">
          {(model.error ?? job?.error)?.message}
        </p>
      )}
      <div className="jp-ModelOpsActions">
        {running ? (
          <ActButton on={() => void model.cancel()} disabled={model.cancelling}>
            {model.cancelling ? trans.__('Cancelling…') : trans.__('Cancel')}
          </ActButton>
        ) : (
          <>
            <ActButton on={() => openOutput(target)}>{trans.__('Open output')}</ActButton>
            <ActButton on={again}>{trans.__('Run again…')}</ActButton>
          </>
        )}
        <button type="button" className="jp-ModelOpsLink" aria-expanded={shown} onClick={() => setShown(!shown)}>
          {shown ? trans.__('Hide the log') : trans.__('Show the log')}
        </button>
      </div>
      {shown && (
        <pre className="jp-ModelOpsRun-log" tabIndex={0} aria-label={trans.__('Log')}>
          {log.error?.message ?? (log.data === '' ? trans.__('Nothing was printed.') : log.data)}
        </pre>
      )}
      <ol className="jp-ModelOpsRun-cells" aria-label={trans.__('Cells')}>
        {cells.map(cell => (
          <Cell key={`${cell.notebook}/${cell.number}`} cell={cell} ended={!running} trans={trans} />
        ))}
      </ol>
    </section>
  );
}

function Cell({ cell, ended, trans }: { cell: ICell; ended: boolean; trans: TranslationBundle }): JSX.Element {
  const words =
    cell.state === 'running'
      ? ended
        ? trans.__('not finished')
        : trans.__('running…')
      : cell.state === 'failed'
        ? trans.__('failed after %1 s', String(cell.seconds))
        : trans.__('%1 s', String(cell.seconds));
  return (
    <li className={`jp-mod-${cell.state}`}>
      <HealthIcon health={cell.state === 'failed' ? 'alert' : cell.state === 'completed' ? 'healthy' : 'not judged'} />
      <span className="jp-ModelOpsRun-number">{cell.number}</span>
      <code>{cell.source}</code>
      <span className="jp-ModelOpsPage-quiet">{words}</span>
      {cell.output && <pre>{cell.output}</pre>}
    </li>
  );
}

function stateHealth(state: JobState | undefined): Health {
  switch (state) {
    case 'completed':
      return 'healthy';
    case 'failed':
      return 'alert';
    case 'cancelled':
    case 'interrupted':
      return 'warning';
    default:
      return 'not judged';
  }
}

function stateWords(job: IJob | undefined, cells: readonly ICell[], trans: TranslationBundle): string {
  const last = cells[cells.length - 1];
  switch (job?.state) {
    case 'completed':
      return job.ended_at ? trans.__('Completed at %1.', localTime(job.ended_at)) : trans.__('Completed.');
    case 'failed':
      return job.ended_at ? trans.__('Failed at %1.', localTime(job.ended_at)) : trans.__('Failed.');
    case 'cancelled':
      return trans.__('Cancelled.');
    case 'interrupted':
      return trans.__('Interrupted: its server ended before it did.');
    default:
      return last
        ? trans.__('Running cell %1 of %2.', String(last.number), String(last.total))
        : trans.__('Starting the kernel…');
  }
}
