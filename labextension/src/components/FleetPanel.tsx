import { refreshIcon, ToolbarButtonComponent } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import { census, choose, EVERYTHING } from '../filter';
import type { IFleet, IModelSummary } from '../tokens';
import { useAnswer } from '../useAnswer';
import { EmptyFleet } from './EmptyFleet';
import { Filters } from './Filters';
import { ModelList } from './ModelList';
import { Failed, Loading } from './Notice';
import { Unadopted } from './Unadopted';

interface IFleetPanelProps {
  readonly fleet: IFleet | undefined;
  readonly error: Error | undefined;
  readonly busy: boolean;
  readonly readAt: Date | undefined;
  readonly current: string | null;
  readonly trans: TranslationBundle;
  readonly refresh: () => void;
  readonly open: (name: string) => void;
  readonly drag: (model: IModelSummary, event: PointerEvent) => void;
  readonly copy: (text: string) => void;
  /** Asks how many models of the MLflow registry are not on record. */
  readonly unadopted: () => Promise<number>;
}

/** The side panel: every model of the workspace, those that need somebody first. */
export function FleetPanel(props: IFleetPanelProps): JSX.Element {
  const { fleet, error, busy, trans } = props;
  const count = fleet?.rows.length ?? 0;
  const { data: unadopted, again } = useAnswer(fleet ? props.unadopted : null, [fleet]);
  const refresh = (): void => {
    again();
    props.refresh();
  };
  return (
    <>
      <header className="jp-ModelOpsPanel-header">
        <h2>{trans.__('Models')}</h2>
        <span className="jp-ModelOpsPanel-count" role="status">
          {count > 0 && trans._n('%2 model', '%2 models', count, count.toLocaleString('en'))}
        </span>
        <ToolbarButtonComponent
          className="jp-ModelOpsPanel-refresh"
          icon={refreshIcon}
          tooltip={trans.__('Refresh')}
          enabled={!busy}
          onClick={refresh}
        />
      </header>
      {error && <Failed error={error} busy={busy} stale={!!fleet} readAt={props.readAt} trans={trans} retry={props.refresh} />}
      {!fleet && !error && <Loading trans={trans} />}
      {fleet && <Unadopted count={unadopted ?? 0} trans={trans} copy={props.copy} />}
      {fleet && count === 0 && <EmptyFleet trans={trans} copy={props.copy} />}
      {fleet && count > 0 && <Models {...props} fleet={fleet} />}
    </>
  );
}

function Models({ fleet, current, trans, open, drag }: IFleetPanelProps & { fleet: IFleet }): JSX.Element {
  const [choice, setChoice] = React.useState(EVERYTHING);
  const sought = React.useDeferredValue(choice);
  const counts = React.useMemo(() => census(fleet.rows), [fleet]);
  const shown = React.useMemo(() => choose(fleet.rows, sought), [fleet, sought]);
  return (
    <>
      <Filters choice={choice} counts={counts} trans={trans} change={setChoice} />
      {shown.length === 0 ? (
        <div className="jp-ModelOpsNotice" role="status">
          <p>{trans.__('No model fits this filter.')}</p>
          <button type="button" className="jp-ModelOpsLink" onClick={() => setChoice(EVERYTHING)}>
            {trans.__('Show all models')}
          </button>
        </div>
      ) : (
        <ModelList models={shown} current={current} trans={trans} open={open} drag={drag} />
      )}
    </>
  );
}
