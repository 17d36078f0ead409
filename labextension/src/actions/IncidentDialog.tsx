import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { VDomRenderer } from '@jupyterlab/ui-components';
import React from 'react';
import type { Client } from '../api';
import type { IncidentAction } from '../components/Incidents';
import { daysAfter, sentence } from '../format';
import type { IIncident, IModelOps } from '../tokens';
import { DoingDialog } from './DoingDialog';
import { Reason } from './Reason';
import { Wish } from './Wish';

const DATED: ReadonlySet<IncidentAction> = new Set<IncidentAction>(['mute', 'accept']);
const USUAL_DAYS = 30;

/** What is to be done about an incident, and until when. */
class IncidentModel extends Wish {
  constructor(
    readonly action: IncidentAction,
    readonly incident: IIncident,
    client: Client
  ) {
    super(client);
    this.date = daysAfter(incident.last_window, USUAL_DAYS);
  }

  /** Whether it is for a while only. */
  get dated(): boolean {
    return DATED.has(this.action);
  }

  get until(): string {
    return this.date;
  }
  set until(date: string) {
    this.date = date;
    this.stateChanged.emit();
  }

  override get ready(): boolean {
    return super.ready && (!this.dated || this.date !== '');
  }

  protected override request(reason: string): { readonly verb: string; readonly body: object } {
    const { id } = this.incident;
    if (this.dated) {
      return { verb: this.action, body: { subject: id, until: this.date, reason } };
    }
    const subject = this.action === 'revoke' ? this.incident.revocable : { id };
    return { verb: this.action, body: { ...subject, reason } };
  }

  private date: string;
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
    const { action, dated, incident, until, reason, pending, error } = this.model;
    const { trans } = this;
    return (
      <>
        <p className="jp-ModelOpsDialog-intro">
          <strong>{incident.model}</strong>: {sentence(incident.title)}
        </p>
        <p className="jp-ModelOpsPage-quiet">{words(action, trans).what}</p>
        {dated && (
          <label className="jp-ModelOpsDialog-until">
            {trans.__('Until, in the time of the data')}
            <input
              type="date"
              className="jp-mod-styled"
              required
              readOnly={pending}
              value={until}
              onChange={event => {
                this.model.until = event.currentTarget.value;
              }}
            />
          </label>
        )}
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

interface IWords {
  readonly button: string;
  readonly title: string;
  /** What it does. */
  readonly what: string;
  readonly done: string;
}

function words(action: IncidentAction, trans: TranslationBundle): IWords {
  switch (action) {
    case 'acknowledge':
      return {
        button: trans.__('Acknowledge'),
        title: trans.__('Acknowledge an incident'),
        what: trans.__('Whoever acknowledges an incident owns it, if nobody did, and it is known to be in hand.'),
        done: trans.__('The incident is acknowledged.')
      };
    case 'resolve':
      return {
        button: trans.__('Resolve'),
        title: trans.__('Resolve an incident'),
        what: trans.__('A resolved incident is closed; the same cause later opens another one.'),
        done: trans.__('The incident is resolved.')
      };
    case 'mute':
      return {
        button: trans.__('Mute'),
        title: trans.__('Mute an incident'),
        what: trans.__('A muted incident stays open and in sight, but sends no message and does not count for health.'),
        done: trans.__('The incident is muted.')
      };
    case 'accept':
      return {
        button: trans.__('Accept'),
        title: trans.__('Accept an incident as the new normal'),
        what: trans.__(
          'An accepted incident is resolved. Until the date the same signs open no other one unless they become clearly stronger.'
        ),
        done: trans.__('The incident is accepted.')
      };
    case 'revoke':
      return {
        button: trans.__('Take back'),
        title: trans.__('Take back what was muted or accepted'),
        what: trans.__('What is still wrong counts again and sends messages.'),
        done: trans.__('The incident is neither muted nor accepted any more.')
      };
  }
}

/** Asks for a reason, and until when where it is for a while, and does it; returns whether that is done. */
export async function handle(
  action: IncidentAction,
  incident: IIncident,
  { client, trans, refresh }: Pick<IModelOps, 'client' | 'trans' | 'refresh'>
): Promise<boolean> {
  const model = new IncidentModel(action, incident, client);
  const { title, button: label, done } = words(action, trans);
  const dialog = new DoingDialog(model, label, trans, title, new IncidentForm(model, trans));
  const { button } = await dialog.launch();
  if (button.accept) {
    Notification.success(done, { autoClose: 5000 });
    refresh();
  }
  return button.accept;
}
