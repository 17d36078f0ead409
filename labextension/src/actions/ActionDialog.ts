import { Dialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Client } from '../api';
import type { Action, IOverview } from '../tokens';
import { ActionForm } from './ActionForm';
import { ActionModel } from './ActionModel';

/** A dialog that stays until what it is for is done, so that a refusal is read where it can be answered. */
class ActionDialog extends Dialog<string> {
  constructor(
    private readonly action: ActionModel,
    private readonly accept: string,
    trans: TranslationBundle
  ) {
    super({
      title: actionTitle(action, trans),
      body: new ActionForm(action, trans),
      buttons: [Dialog.cancelButton({ label: trans.__('Cancel') }), Dialog.okButton({ label: accept })],
      focusNodeSelector: 'textarea'
    });
    this.addClass('jp-ModelOpsDialog');
    this.waiting = trans.__('Working…');
    action.stateChanged.connect(this.follow, this);
  }

  override resolve(index?: number): void {
    if (index === 0) {
      super.resolve(0);
      return;
    }
    void this.action.perform().then(done => {
      if (done) {
        super.resolve(1);
      } else {
        this.node.querySelector('textarea')?.focus(); // where the answer to a refusal is written
      }
    });
  }

  override dispose(): void {
    this.action.stateChanged.disconnect(this.follow, this);
    super.dispose();
  }

  protected override onAfterAttach(message: Parameters<Dialog<string>['processMessage']>[0]): void {
    super.onAfterAttach(message);
    this.follow();
  }

  private follow(): void {
    const button = this.node.querySelector<HTMLButtonElement>('.jp-Dialog-button.jp-mod-accept');
    if (button) {
      button.disabled = !this.action.ready;
      const label = button.querySelector('.jp-Dialog-buttonLabel');
      if (label) {
        label.textContent = this.action.pending ? this.waiting : this.accept;
      }
    }
  }

  private readonly waiting: string;
}

/** Asks for a reason, shows the policy's answer, does it; returns a sentence about it, or null if it was left. */
export async function ask(
  action: Action,
  page: IOverview,
  version: number | undefined,
  client: Client,
  trans: TranslationBundle
): Promise<string | null> {
  const model = new ActionModel(action, page, version, client);
  const dialog = new ActionDialog(model, actionWord(action, trans), trans);
  const { button } = await dialog.launch();
  return button.accept ? doneWords(model, trans) : null;
}

function actionTitle({ action, name }: ActionModel, trans: TranslationBundle): string {
  switch (action) {
    case 'approve':
      return trans.__('Approve a version of %1', name);
    case 'reject':
      return trans.__('Reject a version of %1', name);
    case 'comment':
      return trans.__('Comment on a version of %1', name);
    case 'promote':
      return trans.__('Promote a version of %1', name);
    case 'rollback':
      return trans.__('Roll back %1', name);
  }
}

function actionWord(action: Action, trans: TranslationBundle): string {
  switch (action) {
    case 'approve':
      return trans.__('Approve');
    case 'reject':
      return trans.__('Reject');
    case 'comment':
      return trans.__('Comment');
    case 'promote':
      return trans.__('Promote');
    case 'rollback':
      return trans.__('Roll back');
  }
}

function doneWords({ action, name, version, alias }: ActionModel, trans: TranslationBundle): string {
  switch (action) {
    case 'approve':
      return trans.__('%1/%2 is approved.', name, String(version));
    case 'reject':
      return trans.__('%1/%2 is rejected.', name, String(version));
    case 'comment':
      return trans.__('The comment on %1/%2 is on record.', name, String(version));
    case 'promote':
      return trans.__('%1/%2 is the %3 now.', name, String(version), alias);
    case 'rollback':
      return trans.__('%1@%2 is back at the version before.', name, alias);
  }
}
