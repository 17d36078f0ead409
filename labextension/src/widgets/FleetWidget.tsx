import { Clipboard } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import { FleetPanel } from '../components/FleetPanel';
import { modelsIcon } from '../icons';
import type { Live } from '../live';
import type { IFleet, IModelSummary } from '../tokens';
import { LiveWidget } from './LiveWidget';

/** The side panel as a widget. */
export class FleetWidget extends LiveWidget<IFleet> {
  constructor(
    live: Live<IFleet>,
    private readonly trans: TranslationBundle,
    private readonly open: (name: string) => void,
    private readonly drag: (model: IModelSummary, event: PointerEvent) => void,
    private readonly unadopted: () => Promise<number>
  ) {
    super(live);
    this.id = 'modelops-models';
    this.addClass('jp-ModelOpsPanel');
    this.title.icon = modelsIcon;
    this.title.caption = trans.__('Models');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('Models'));
  }

  /** The model whose page is in front. */
  get current(): string | null {
    return this.name;
  }
  set current(name: string | null) {
    if (name !== this.name) {
      this.name = name;
      this.update();
    }
  }

  /** Puts the cursor where models are searched for. */
  focusSearch(): void {
    this.node.querySelector<HTMLInputElement>('input')?.focus();
  }

  protected override render(): JSX.Element {
    const { data, error, busy, readAt } = this.live;
    return (
      <FleetPanel
        fleet={data}
        error={error}
        busy={busy}
        readAt={readAt}
        current={this.name}
        trans={this.trans}
        refresh={() => this.live.refresh()}
        open={this.open}
        drag={this.drag}
        copy={text => Clipboard.copyToSystem(text)}
        unadopted={this.unadopted}
      />
    );
  }

  private name: string | null = null;
}
