import type { TranslationBundle } from '@jupyterlab/translation';
import type { Client } from '../api';
import type { Action, IOverview } from '../tokens';
import { ActionForm } from './ActionForm';
import { ActionModel } from './ActionModel';
import { DoingDialog } from './DoingDialog';

/** Asks for a reason, shows the policy's answer, does it; returns a sentence about it, or null if it was left. */
export async function ask(
  action: Action,
  page: IOverview,
  version: number | undefined,
  client: Client,
  trans: TranslationBundle
): Promise<string | null> {
  const model = new ActionModel(action, page, version, client);
  const dialog = new DoingDialog(
    model,
    actionWord(action, trans),
    trans,
    actionTitle(model, trans),
    new ActionForm(model, trans)
  );
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
