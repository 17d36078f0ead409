import { HTMLSelect, InputGroup, searchIcon } from '@jupyterlab/ui-components';
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

/** The search and what can be picked: health, open alerts, kind, owner, risk tier; each with how many models it leaves. */
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
      {(known(counts.owners) || known(counts.tiers)) && (
        <div className="jp-ModelOpsPanel-selects">
          {known(counts.owners) && (
            <Select
              label={trans.__('Filter by owner')}
              any={trans.__('Any owner')}
              none={trans.__('no owner')}
              counts={counts.owners}
              value={choice.owner}
              pick={owner => change({ ...choice, owner })}
            />
          )}
          {known(counts.tiers) && (
            <Select
              label={trans.__('Filter by risk tier')}
              any={trans.__('Any tier')}
              none={trans.__('no tier')}
              counts={counts.tiers}
              value={choice.tier}
              pick={tier => change({ ...choice, tier })}
            />
          )}
        </div>
      )}
    </div>
  );
}

/** Whether any model has one: where none has, nobody need choose. */
function known(counts: ReadonlyMap<string, number>): boolean {
  return [...counts.keys()].some(Boolean);
}

interface ISelectProps {
  readonly label: string;
  readonly any: string;
  readonly none: string;
  readonly counts: ReadonlyMap<string, number>;
  readonly value: string | null;
  readonly pick: (value: string | null) => void;
}

/** One of many words, or any; `=` marks a word, so that one that is empty is told from any. */
function Select({ label, any, none, counts, value, pick }: ISelectProps): JSX.Element {
  return (
    <HTMLSelect
      aria-label={label}
      value={value === null ? '' : `=${value}`}
      onChange={event => pick(event.currentTarget.value === '' ? null : event.currentTarget.value.slice(1))}
    >
      <option value="">{any}</option>
      {[...counts].map(([word, count]) => (
        <option key={word} value={`=${word}`}>
          {word || none} ({count.toLocaleString('en')})
        </option>
      ))}
    </HTMLSelect>
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
