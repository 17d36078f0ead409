import { InputGroup, searchIcon } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import { HEALTHS, type IChoice, type ICensus } from '../filter';
import { kindWord } from '../format';
import { HealthIcon, healthWord } from './Health';

interface IFiltersProps {
  readonly choice: IChoice;
  readonly counts: ICensus;
  readonly trans: TranslationBundle;
  readonly change: (choice: IChoice) => void;
}

/** The search and what can be picked: health, open alerts, kind; each with how many models it leaves. */
export function Filters({ choice, counts, trans, change }: IFiltersProps): JSX.Element {
  return (
    <div className="jp-ModelOpsPanel-filter">
      <InputGroup
        type="search"
        aria-label={trans.__('Filter models')}
        placeholder={trans.__('Filter models')}
        value={choice.query}
        onChange={event => change({ ...choice, query: event.currentTarget.value })}
        rightIcon={searchIcon}
      />
      <div role="group" aria-label={trans.__('Filter by health')}>
        {HEALTHS.filter(one => counts.health[one] > 0).map(one => (
          <Chip
            key={one}
            on={choice.health === one}
            toggle={() => change({ ...choice, health: choice.health === one ? null : one })}
          >
            <HealthIcon health={one} />
            {counts.health[one].toLocaleString('en')} {healthWord(one, trans)}
          </Chip>
        ))}
      </div>
      {(counts.alerting > 0 || counts.kinds.size > 1) && (
        <div role="group" aria-label={trans.__('Filter by alerts and kind')}>
          {counts.alerting > 0 && (
            <Chip on={choice.alerting} toggle={() => change({ ...choice, alerting: !choice.alerting })}>
              {trans._n('%1 with open alerts', '%1 with open alerts', counts.alerting)}
            </Chip>
          )}
          {counts.kinds.size > 1 &&
            [...counts.kinds].map(([kind, count]) => (
              <Chip
                key={kind}
                on={choice.kind === kind}
                toggle={() => change({ ...choice, kind: choice.kind === kind ? null : kind })}
              >
                {count.toLocaleString('en')} {kindWord(kind, trans)}
              </Chip>
            ))}
        </div>
      )}
    </div>
  );
}

interface IChipProps {
  readonly on: boolean;
  readonly toggle: () => void;
  readonly children: React.ReactNode;
}

function Chip({ on, toggle, children }: IChipProps): JSX.Element {
  return (
    <button type="button" className="jp-ModelOpsChip" aria-pressed={on} onClick={toggle}>
      {children}
    </button>
  );
}
