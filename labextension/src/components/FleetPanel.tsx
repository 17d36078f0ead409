import { InputGroup, refreshIcon, searchIcon, ToolbarButtonComponent } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import { census, choose, HEALTHS } from '../filter';
import type { Health, IFleet } from '../tokens';
import { EmptyFleet } from './EmptyFleet';
import { HealthIcon, healthWord } from './Health';
import { ModelRow } from './ModelRow';
import { Failed, Loading } from './Notice';

interface IFleetPanelProps {
  readonly fleet: IFleet | undefined;
  readonly error: Error | undefined;
  readonly busy: boolean;
  readonly current: string | null;
  readonly trans: TranslationBundle;
  readonly refresh: () => void;
  readonly open: (name: string) => void;
  readonly copy: (text: string) => void;
}

/** The side panel: every model of the workspace, those that need somebody first. */
export function FleetPanel(props: IFleetPanelProps): JSX.Element {
  const { fleet, error, busy, trans } = props;
  const count = fleet?.rows.length ?? 0;
  return (
    <>
      <header className="jp-ModelOpsPanel-header">
        <h2>{trans.__('Models')}</h2>
        <span className="jp-ModelOpsPanel-count" role="status">
          {count > 0 && trans._n('%1 model', '%1 models', count)}
        </span>
        <ToolbarButtonComponent
          className="jp-ModelOpsPanel-refresh"
          icon={refreshIcon}
          tooltip={trans.__('Refresh')}
          enabled={!busy}
          onClick={props.refresh}
        />
      </header>
      {error && <Failed error={error} busy={busy} stale={!!fleet} trans={trans} retry={props.refresh} />}
      {!fleet && !error && <Loading trans={trans} />}
      {fleet && count === 0 && <EmptyFleet trans={trans} copy={props.copy} />}
      {fleet && count > 0 && <Models {...props} fleet={fleet} />}
    </>
  );
}

function Models({ fleet, current, trans, open }: IFleetPanelProps & { fleet: IFleet }): JSX.Element {
  const [query, setQuery] = React.useState('');
  const [health, setHealth] = React.useState<Health | null>(null);
  const [stop, setStop] = React.useState<string | null>(null);
  const sought = React.useDeferredValue(query);
  const counts = React.useMemo(() => census(fleet.rows), [fleet]);
  const shown = React.useMemo(() => choose(fleet.rows, sought, health), [fleet, sought, health]);
  const reachable = shown.some(model => model.name === stop) ? stop : (shown[0]?.name ?? null);
  return (
    <>
      <div className="jp-ModelOpsPanel-filter">
        <InputGroup
          type="search"
          aria-label={trans.__('Filter models')}
          placeholder={trans.__('Filter models')}
          value={query}
          onChange={event => setQuery(event.currentTarget.value)}
          rightIcon={searchIcon}
        />
        <div role="group" aria-label={trans.__('Filter by health')}>
          {HEALTHS.filter(one => counts[one] > 0).map(one => (
            <button
              key={one}
              type="button"
              className="jp-ModelOpsChip"
              aria-pressed={health === one}
              onClick={() => setHealth(health === one ? null : one)}
            >
              <HealthIcon health={one} />
              {counts[one].toLocaleString('en')} {healthWord(one, trans)}
            </button>
          ))}
        </div>
      </div>
      {shown.length === 0 && (
        <p className="jp-ModelOpsNotice" role="status">
          {trans.__('No model fits this filter.')}
        </p>
      )}
      <ul
        className="jp-ModelOpsPanel-list"
        aria-label={trans.__('Models')}
        onClick={event => {
          const name = nameOf(event.target);
          if (name !== null) {
            open(name);
          }
        }}
        onFocus={event => setStop(nameOf(event.target))}
        onKeyDown={walk}
      >
        {shown.map(model => (
          <ModelRow
            key={model.name}
            model={model}
            trans={trans}
            reachable={model.name === reachable}
            current={model.name === current}
          />
        ))}
      </ul>
    </>
  );
}

/** The model whose row an element is in. */
function nameOf(target: EventTarget): string | null {
  const row = target instanceof Element ? target.closest<HTMLElement>('[data-name]') : null;
  return row?.dataset['name'] ?? null;
}

/** Arrow keys, Home and End lead from row to row: one Tab stop for the whole list. */
function walk(event: React.KeyboardEvent<HTMLUListElement>): void {
  const rows = [...event.currentTarget.querySelectorAll<HTMLElement>('[data-name]')];
  const here = rows.findIndex(row => row === document.activeElement);
  const next = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: rows.length - 1 }[event.key];
  const row = next === undefined ? undefined : rows[next];
  if (row) {
    event.preventDefault();
    row.focus();
  }
}
