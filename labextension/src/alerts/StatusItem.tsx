import type { TranslationBundle } from '@jupyterlab/translation';
import { VDomRenderer } from '@jupyterlab/ui-components';
import React from 'react';
import { HealthIcon } from '../components/Health';
import type { Live } from '../live';
import type { IFleet } from '../tokens';
import { openAlerts } from './watch';

/** The number of open alerts in the status bar; it leads to the models. */
export class StatusItem extends VDomRenderer<Live<IFleet>> {
  constructor(
    models: Live<IFleet>,
    private readonly trans: TranslationBundle,
    private readonly lead: () => void
  ) {
    super(models);
    this.addClass('jp-ModelOpsStatus');
  }

  protected override render(): JSX.Element | null {
    const { data, error } = this.model;
    if (!data || data.rows.length === 0) {
      return null;
    }
    const { alerts, models } = openAlerts(data);
    const title = error
      ? this.trans.__('Not up to date: %1', error.message)
      : this.trans._n('Open alerts in %1 model: show the models', 'Open alerts in %1 models: show the models', models);
    return (
      <button type="button" title={title} onClick={this.lead}>
        <HealthIcon health={error ? 'not judged' : alerts > 0 ? 'warning' : 'healthy'} />
        {alerts === 0 ? this.trans.__('No open alerts') : this.trans._n('%2 open alert', '%2 open alerts', alerts, alerts.toLocaleString('en'))}
      </button>
    );
  }
}
