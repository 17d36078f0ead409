import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import { type TabName, TABS } from '../tokens';

interface ITabsProps {
  readonly label: string;
  readonly selected: TabName;
  readonly trans: TranslationBundle;
  readonly select: (tab: TabName) => void;
  readonly children: React.ReactNode;
}

/** A row of tabs and the panel of the selected one; arrow keys, Home and End move within the row. */
export function Tabs({ label, selected, trans, select, children }: ITabsProps): JSX.Element {
  const row = React.useRef<HTMLDivElement>(null);
  const id = React.useId();
  const walk = (event: React.KeyboardEvent): void => {
    const here = TABS.indexOf(selected);
    const last = TABS.length - 1;
    const next = { ArrowRight: here === last ? 0 : here + 1, ArrowLeft: here === 0 ? last : here - 1, Home: 0, End: last }[
      event.key
    ];
    const tab = next === undefined ? undefined : TABS[next];
    if (tab !== undefined) {
      event.preventDefault();
      select(tab);
      row.current?.querySelector<HTMLElement>(`[data-tab="${tab}"]`)?.focus();
    }
  };
  return (
    <>
      <div className="jp-ModelOpsTabs" role="tablist" aria-label={label} ref={row} onKeyDown={walk}>
        {TABS.map(tab => (
          <button
            key={tab}
            type="button"
            role="tab"
            id={`${id}-${tab}`}
            data-tab={tab}
            aria-selected={tab === selected}
            aria-controls={`${id}-panel`}
            tabIndex={tab === selected ? 0 : -1}
            onClick={() => select(tab)}
          >
            {tabName(tab, trans)}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${selected}`} className="jp-ModelOpsTabs-panel">
        {children}
      </div>
    </>
  );
}

function tabName(tab: TabName, trans: TranslationBundle): string {
  switch (tab) {
    case 'overview':
      return trans.__('Overview');
    case 'versions':
      return trans.__('Versions');
    case 'compare':
      return trans.__('Compare');
    case 'monitoring':
      return trans.__('Monitoring');
    case 'governance':
      return trans.__('Governance');
    case 'runs':
      return trans.__('Runs');
    case 'audit':
      return trans.__('Audit');
  }
}
