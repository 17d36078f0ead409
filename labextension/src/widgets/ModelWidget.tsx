import { MainAreaWidget } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { linkIcon, refreshIcon, ToolbarButton } from '@jupyterlab/ui-components';
import { type ISignal, Signal } from '@lumino/signaling';
import React from 'react';
import type { Client } from '../api';
import type { IncidentAction } from '../components/Incidents';
import { ModelPage } from '../components/ModelPage';
import { modelsIcon } from '../icons';
import type { IFiles } from '../components/page';
import type { Live } from '../live';
import type { Action, IIncident, IOverview, TabName } from '../tokens';
import { LiveWidget } from './LiveWidget';

/** What can be done from a model's page, each through a dialog. */
export interface IActs {
  readonly act: (action: Action, page: ModelWidget, version?: number) => void;
  readonly handle: (action: IncidentAction, incident: IIncident) => Promise<boolean>;
  readonly files: IFiles;
}

/** A model's page as a widget. */
export class ModelWidget extends LiveWidget<IOverview> {
  constructor(
    readonly name: string,
    live: Live<IOverview>,
    private readonly client: Client,
    private readonly trans: TranslationBundle,
    private readonly acts: IActs
  ) {
    super(live);
    this.id = `modelops-model-${encodeURIComponent(name)}`;
    this.addClass('jp-ModelOpsPage');
    this.title.label = name;
    this.title.caption = trans.__('Model %1', name);
    this.title.icon = modelsIcon;
  }

  /** The tab in front. */
  get tab(): TabName {
    return this.front;
  }
  set tab(tab: TabName) {
    if (tab !== this.front) {
      this.front = tab;
      this.node.scrollTop = 0;
      this.update();
      this.turned.emit();
    }
  }

  /** Emitted when another tab comes to the front. */
  get tabChanged(): ISignal<this, void> {
    return this.turned;
  }

  /** What the page shows, once it is known. */
  get overview(): IOverview | undefined {
    return this.live.data;
  }

  /** Asks the server now. */
  refresh(): void {
    this.live.refresh();
  }

  protected override render(): JSX.Element {
    const { data, error, busy, readAt } = this.live;
    return (
      <ModelPage
        page={data}
        error={error}
        busy={busy}
        readAt={readAt}
        tab={this.front}
        client={this.client}
        trans={this.trans}
        retry={() => this.refresh()}
        show={tab => {
          this.tab = tab;
        }}
        act={(action, version) => this.acts.act(action, this, version)}
        handle={(action, incident) => this.acts.handle(action, incident)}
        files={this.acts.files}
      />
    );
  }

  private front: TabName = 'overview';
  private readonly turned = new Signal<this, void>(this);
}

/** The page with its toolbar, as the main area holds it. */
export function modelTab(
  content: ModelWidget,
  trans: TranslationBundle,
  copyLink: () => void
): MainAreaWidget<ModelWidget> {
  const tab = new MainAreaWidget({ content });
  content.node.setAttribute('aria-label', content.title.caption); // in place of "main area content"
  tab.toolbar.addItem(
    'refresh',
    new ToolbarButton({ icon: refreshIcon, tooltip: trans.__('Refresh'), onClick: () => content.refresh() })
  );
  tab.toolbar.addItem(
    'link',
    new ToolbarButton({ icon: linkIcon, tooltip: trans.__('Copy a link to this page'), onClick: copyLink })
  );
  return tab;
}
