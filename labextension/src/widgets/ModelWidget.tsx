import { MainAreaWidget } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { refreshIcon, ToolbarButton } from '@jupyterlab/ui-components';
import React from 'react';
import { ModelPage } from '../components/ModelPage';
import { modelsIcon } from '../icons';
import type { Live } from '../live';
import type { IOverview } from '../tokens';
import { LiveWidget } from './LiveWidget';

/** A model's page as a widget. */
export class ModelWidget extends LiveWidget<IOverview> {
  constructor(
    readonly name: string,
    live: Live<IOverview>,
    private readonly trans: TranslationBundle
  ) {
    super(live);
    this.id = `modelops-model-${encodeURIComponent(name)}`;
    this.addClass('jp-ModelOpsPage');
    this.title.label = name;
    this.title.caption = trans.__('Model %1', name);
    this.title.icon = modelsIcon;
  }

  /** Asks the server now. */
  refresh(): void {
    this.live.refresh();
  }

  protected override render(): JSX.Element {
    const { data, error, busy } = this.live;
    return <ModelPage page={data} error={error} busy={busy} trans={this.trans} retry={() => this.refresh()} />;
  }
}

/** The page with its toolbar, as the main area holds it. */
export function modelTab(content: ModelWidget, trans: TranslationBundle): MainAreaWidget<ModelWidget> {
  const tab = new MainAreaWidget({ content });
  content.node.setAttribute('aria-label', content.title.caption); // in place of "main area content"
  const refresh = new ToolbarButton({
    icon: refreshIcon,
    tooltip: trans.__('Refresh'),
    onClick: () => content.refresh()
  });
  tab.toolbar.addItem('refresh', refresh);
  return tab;
}
