import React from 'react';
import { NOTHING } from '../../format';
import type { IPipelineRun, IStep, IVersion } from '../../tokens';
import { useAnswer } from '../../useAnswer';
import { HealthIcon } from '../Health';
import { Moment } from '../Moment';
import { Failed } from '../Notice';
import type { IFiles, ITab } from '../page';
import { Table } from '../Table';

/** The run that made each version: where, by whom, from which data; and the pipelines that these belong to. */
export function Runs({ page, client, files, trans }: ITab): JSX.Element {
  const { name } = page.summary;
  const { data, error, busy, again } = useAnswer(
    () => client.get<{ rows: readonly IPipelineRun[] }>('runs', { name }),
    [name, page]
  );
  return (
    <>
      <Table<IVersion>
        title={trans.__('Training runs')}
        rows={page.versions}
        trans={trans}
        empty={trans.__('No runs.')}
        columns={[
          { title: trans.__('Version'), numeric: true, cell: version => version.version },
          { title: trans.__('When'), cell: version => <Moment at={version.created_at} /> },
          { title: trans.__('By'), cell: version => version.created_by },
          { title: trans.__('MLflow run'), cell: version => code(version.run_id) },
          { title: trans.__('Notebook'), cell: version => version.source['notebook'] ?? NOTHING },
          { title: trans.__('Git commit'), cell: version => code(version.source['git_commit']) },
          { title: trans.__('Data'), cell: version => code(version.data_fingerprint) },
          { title: trans.__('Inputs'), wraps: true, cell: version => version.inputs.join(', ') || NOTHING }
        ]}
      />
      {error && <Failed error={error} busy={busy} stale={!!data} trans={trans} retry={again} />}
      {!error && (
        <Table<IPipelineRun>
          title={trans.__('Pipeline runs')}
          rows={data?.rows ?? []}
          trans={trans}
          empty={data ? trans.__('No pipeline has made a version of this model.') : trans.__('Reading the workspace…')}
          columns={[
            { title: trans.__('When'), cell: run => <Moment at={run.started_at} /> },
            { title: trans.__('Pipeline'), cell: run => run.pipeline },
            { title: trans.__('State'), cell: run => <State state={run.state} /> },
            { title: trans.__('Took'), numeric: true, cell: run => trans.__('%1 s', String(run.seconds)) },
            { title: trans.__('Versions'), cell: run => run.made || NOTHING },
            {
              title: trans.__('Steps: open output'),
              wraps: true,
              cell: run => run.steps.map(step => <Step key={step.step} step={step} files={files} />)
            }
          ]}
        />
      )}
    </>
  );
}

/** A step that leads to the notebook it left. */
function Step({ step, files }: { step: IStep; files: IFiles }): JSX.Element {
  const { output_path: path } = step;
  return (
    <span className="jp-ModelOpsPage-step" title={step.output}>
      <State state={step.state} quiet />
      {path === null ? (
        step.step
      ) : (
        <button type="button" className="jp-ModelOpsLink" onClick={() => files.open(path)}>
          {step.step}
        </button>
      )}
    </span>
  );
}

/** How a run or a step ended, as a shape and a word; a quiet one keeps the word for those who hear it. */
function State({ state, quiet = false }: { state: string; quiet?: boolean }): JSX.Element {
  const health = state === 'completed' ? 'healthy' : state === 'failed' ? 'alert' : state === 'running' ? 'not judged' : 'warning';
  return (
    <span className="jp-ModelOpsHealth">
      <HealthIcon health={health} />
      <span className={quiet ? 'jp-ModelOpsHidden' : undefined}>{state}</span>
    </span>
  );
}

function code(text: string | null | undefined): React.ReactNode {
  return text ? <code title={text}>{text.slice(0, 12)}</code> : NOTHING;
}
