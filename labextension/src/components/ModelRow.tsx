import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import { kindWord, metricName, shortTime } from '../format';
import type { IModelSummary } from '../tokens';
import { HealthLabel } from './Health';
import { Sparkline } from './Sparkline';

interface IModelRowProps {
  readonly model: IModelSummary;
  readonly trans: TranslationBundle;
  /** Whether Tab stops here; arrow keys lead to the other rows. */
  readonly reachable: boolean;
  readonly current: boolean;
  /** Its place among `of` models, and how far down the list it stands, in pixels. */
  readonly place: number;
  readonly of: number;
  readonly top: number;
}

function ModelRowView({ model, trans, reachable, current, place, of, top }: IModelRowProps): JSX.Element {
  const champion =
    model.champion === null ? trans.__('no champion') : trans.__('champion v%1', String(model.champion));
  const facts = [
    model.owner && trans.__('owned by %1', model.owner),
    model.risk_tier && trans.__('risk tier %1', model.risk_tier),
    metricName(model.metric),
    model.data_through && trans.__('data through %1', shortTime(model.data_through))
  ];
  return (
    <li className="jp-ModelOpsPanel-item" aria-posinset={place + 1} aria-setsize={of} style={{ top }}>
      <button
        type="button"
        className={`jp-ModelOpsRow${current ? ' jp-mod-current' : ''}`}
        data-name={model.name}
        tabIndex={reachable ? 0 : -1}
        title={[model.name, ...facts.filter(Boolean)].join('\n')}
        aria-current={current ? 'page' : undefined}
      >
        <span className="jp-ModelOpsRow-title">
          <span className="jp-ModelOpsRow-name">{model.name}</span>
          <span className="jp-ModelOpsRow-kind">{kindWord(model.kind, trans)}</span>
        </span>
        <span className="jp-ModelOpsRow-line">
          <Sparkline values={model.sparkline} />
        </span>
        <span className="jp-ModelOpsRow-facts">
          <HealthLabel health={model.health} trans={trans} />
          <span className="jp-ModelOpsRow-champion">{champion}</span>
        </span>
        {model.open_alerts > 0 && (
          <span className="jp-ModelOpsRow-alerts">
            {trans._n('%1 open alert', '%1 open alerts', model.open_alerts)}
          </span>
        )}
      </button>
    </li>
  );
}

/** One model in the list; drawn again only where what it shows has changed. */
export const ModelRow = React.memo(ModelRowView, (before, after) => {
  const keys = ['reachable', 'current', 'place', 'of', 'top'] as const;
  const same = keys.every(key => before[key] === after[key]);
  return same && (before.model === after.model || JSON.stringify(before.model) === JSON.stringify(after.model));
});
