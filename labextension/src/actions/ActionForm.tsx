import type { TranslationBundle } from '@jupyterlab/translation';
import { HTMLSelect, VDomRenderer } from '@jupyterlab/ui-components';
import React from 'react';
import { GateView } from '../components/GateView';
import { Loading } from '../components/Notice';
import { Pick } from '../components/tabs/Compare';
import type { ActionModel } from './ActionModel';
import { Reason } from './Reason';

/** The body of an action's dialog. */
export class ActionForm extends VDomRenderer<ActionModel> {
  constructor(
    model: ActionModel,
    private readonly trans: TranslationBundle
  ) {
    super(model);
    this.addClass('jp-ModelOpsDialog-body');
  }

  protected override render(): JSX.Element {
    return <Form model={this.model} trans={this.trans} />;
  }
}

function Form({ model, trans }: { model: ActionModel; trans: TranslationBundle }): JSX.Element {
  const { action, error, pending } = model;
  return (
    <fieldset>
      <legend className="jp-ModelOpsDialog-intro">{intro(model, trans)}</legend>
      <div className="jp-ModelOpsPage-choice">
        {action !== 'rollback' && (
          <Pick
            label={trans.__('Version')}
            versions={model.page.versions}
            value={model.version}
            disabled={pending}
            pick={version => {
              model.version = version;
            }}
            trans={trans}
          />
        )}
        {(action === 'promote' || action === 'rollback') && <Alias model={model} trans={trans} />}
      </div>
      {model.gated && !model.gate && !error && <Loading trans={trans} />}
      {model.gate && <GateView gate={model.gate} trans={trans} />}
      <Reason
        label={
          action === 'comment'
            ? trans.__('Comment (required; goes on record)')
            : trans.__('Reason (required; goes on record)')
        }
        value={model.reason}
        pending={pending}
        error={error}
        change={text => {
          model.reason = text;
        }}
      />
    </fieldset>
  );
}

function Alias({ model, trans }: { model: ActionModel; trans: TranslationBundle }): JSX.Element {
  return (
    <label>
      {trans.__('Alias')}
      <HTMLSelect
        value={model.alias}
        disabled={model.pending}
        onChange={event => {
          model.alias = event.currentTarget.value;
        }}
      >
        {model.aliases.map(alias => (
          <option key={alias}>{alias}</option>
        ))}
      </HTMLSelect>
    </label>
  );
}

/** What will happen, in a sentence. */
function intro(model: ActionModel, trans: TranslationBundle): string {
  const now =
    model.holder === null
      ? trans.__('Nobody holds %1 now.', model.alias)
      : trans.__('Version %2 holds %1 now.', model.alias, String(model.holder));
  switch (model.action) {
    case 'promote':
      return `${trans.__('The alias will point at the version, if the policy lets it.')} ${now}`;
    case 'rollback':
      return `${trans.__('The alias will point at the version that held it before, which passed its gate then.')} ${now}`;
    case 'approve':
      return trans.__('Your approval of exactly these bytes goes on record. This is what the gate says before it:');
    case 'reject':
      return trans.__('Earlier approvals count no longer, and the version cannot be promoted until it is approved again.');
    case 'comment':
      return trans.__('Your remark goes on record; it neither approves nor rejects.');
  }
}
