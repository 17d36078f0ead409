import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { VDomRenderer } from '@jupyterlab/ui-components';
import React from 'react';
import type { Client } from '../api';
import type { IncidentAction } from '../components/Incidents';
import { sentence } from '../format';
import type { IIncident, IModelOps } from '../tokens';
import { DoingDialog } from './DoingDialog';
import { Reason } from './Reason';
import { Wish } from './Wish';

/** Taking or closing an incident. */
class IncidentModel extends Wish {
  constructor(
    readonly action: IncidentAction,
    readonly incident: IIncident,
    client: Client
  ) {
    super(client);
  }

  protected override request(reason: string): { readonly verb: string; readonly body: object } {
    return { verb: this.action, body: { id: this.incident.id, reason } };
  }
}

class IncidentForm extends VDomRenderer<IncidentModel> {
  constructor(
    model: IncidentModel,
    private readonly trans: TranslationBundle
  ) {
    super(model);
    this.addClass('jp-ModelOpsDialog-body');
  }

  protected override render(): JSX.Element {
    const { action, incident, reason, pending, error } = this.model;
    const { trans } = this;
    return (
      <>
        <p className="jp-ModelOpsDialog-intro">
          <strong>{incident.model}</strong>: {sentence(incident.title)}
        </p>
        <p className="jp-ModelOpsPage-quiet">
          {action === 'acknowledge'
            ? trans.__('Whoever acknowledges an incident owns it, if nobody did, and it is known to be in hand.')
            : trans.__('A resolved incident is closed; the same cause later opens another one.')}
        </p>
        <Reason
          label={trans.__('Reason (required; goes on record)')}
          value={reason}
          pending={pending}
          error={error}
          change={text => {
            this.model.reason = text;
          }}
        />
      </>
    );
  }
}

/** Asks for a reason and acknowledges or resolves an incident; returns whether that is done. */
export async function handle(
  action: IncidentAction,
  incident: IIncident,
  { client, trans, refresh }: Pick<IModelOps, 'client' | 'trans' | 'refresh'>
): Promise<boolean> {
  const model = new IncidentModel(action, incident, client);
  const acknowledging = action === 'acknowledge';
  const dialog = new DoingDialog(
    model,
    acknowledging ? trans.__('Acknowledge') : trans.__('Resolve'),
    trans,
    acknowledging ? trans.__('Acknowledge an incident') : trans.__('Resolve an incident'),
    new IncidentForm(model, trans)
  );
  const { button } = await dialog.launch();
  if (button.accept) {
    const said = acknowledging ? trans.__('The incident is acknowledged.') : trans.__('The incident is resolved.');
    Notification.success(said, { autoClose: 5000 });
    refresh();
  }
  return button.accept;
}
