import { Dialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { HTMLSelect, InputGroup, VDomRenderer } from '@jupyterlab/ui-components';
import React from 'react';
import { type IRegistration, registerCode } from '../code';
import { ActButton } from '../components/ActButton';
import { HealthIcon } from '../components/Health';
import { KernelRefusal, type ILiveNames } from './kernel';
import { labelChoices } from './likely';
import { RegisterModel } from './RegisterModel';

/** A dialog that lets itself be accepted only when everything needed is picked. */
class RegisterDialog extends Dialog<void> {
  constructor(
    private readonly wish: RegisterModel,
    trans: TranslationBundle,
    known: readonly string[]
  ) {
    super({
      title: trans.__('Register a model'),
      body: new RegisterBody(wish, trans, known),
      buttons: [
        Dialog.cancelButton({ label: trans.__('Cancel') }),
        Dialog.okButton({ label: trans.__('Insert and run') })
      ]
    });
    this.addClass('jp-ModelOpsDialog');
    this.node.setAttribute('aria-label', trans.__('Register a model'));
    wish.stateChanged.connect(this.follow, this);
  }

  override resolve(index?: number): void {
    if (index === 0 || this.wish.ready) {
      super.resolve(index);
    }
  }

  override dispose(): void {
    this.wish.stateChanged.disconnect(this.follow, this);
    super.dispose();
  }

  protected override onAfterAttach(message: Parameters<Dialog<void>['processMessage']>[0]): void {
    super.onAfterAttach(message);
    this.follow();
  }

  private follow(): void {
    const button = this.node.querySelector<HTMLButtonElement>('.jp-Dialog-button.jp-mod-accept');
    if (button) {
      button.disabled = !this.wish.ready;
    }
  }
}

/** Asks what to register; returns the code that does it, or null if it was left. */
export async function askRegistration(
  ask: () => Promise<ILiveNames>,
  trans: TranslationBundle,
  known: readonly string[]
): Promise<string | null> {
  const wish = new RegisterModel(ask);
  const { button } = await new RegisterDialog(wish, trans, known).launch();
  return button.accept && wish.names ? registerCode(wish.wish, wish.names.magic) : null;
}

class RegisterBody extends VDomRenderer<RegisterModel> {
  constructor(
    model: RegisterModel,
    private readonly trans: TranslationBundle,
    private readonly known: readonly string[]
  ) {
    super(model);
    this.addClass('jp-ModelOpsDialog-body');
  }

  protected override render(): JSX.Element {
    const { names, error } = this.model;
    const { trans } = this;
    if (error) {
      return (
        <div className="jp-ModelOpsNotice jp-mod-failed" role="alert">
          <p>{refusal(error, trans)}</p>
          <ActButton on={() => void this.model.ask()}>{trans.__('Retry')}</ActButton>
        </div>
      );
    }
    if (!names) {
      return <p role="status">{trans.__('Asking the kernel, which answers when it is not busy…')}</p>;
    }
    if (names.models.length === 0) {
      return <p role="status">{trans.__('This notebook holds no fitted model: run the cell that fits one first.')}</p>;
    }
    return <Form model={this.model} names={names} trans={trans} known={this.known} />;
  }
}

interface IFormProps {
  readonly model: RegisterModel;
  readonly names: ILiveNames;
  readonly trans: TranslationBundle;
  readonly known: readonly string[];
}

function Form({ model, names, trans, known }: IFormProps): JSX.Element {
  const { wish } = model;
  const id = React.useId();
  const tables = names.tables.filter(table => table.columns !== null);
  const labels = (rows: string): readonly (readonly [string, string])[] => {
    const own = new Set(names.tables.find(table => table.name === rows)?.columns ?? []);
    return labelChoices(model.live, rows, names.tables).map(one => [one, own.has(one) ? trans.__('column %1', one) : one] as const);
  };
  const text = (name: keyof IRegistration, title: string, list?: string, fault?: string): JSX.Element => (
    <div className="jp-ModelOpsRun-question">
      <label htmlFor={`${id}-${name}`}>{title}</label>
      <InputGroup
        id={`${id}-${name}`}
        list={list}
        aria-describedby={fault === undefined ? undefined : `${id}-${name}-fault`}
        aria-invalid={fault !== undefined}
        value={wish[name]}
        onChange={event => model.pick({ [name]: event.currentTarget.value })}
      />
      {fault !== undefined && (
        <p id={`${id}-${name}-fault`} className="jp-ModelOpsRun-fault">
          {fault}
        </p>
      )}
    </div>
  );
  const choice = (name: keyof IRegistration, title: string, options: readonly (readonly [string, string])[]): JSX.Element => (
    <div className="jp-ModelOpsRun-question">
      <label htmlFor={`${id}-${name}`}>{title}</label>
      <HTMLSelect id={`${id}-${name}`} value={wish[name]} onChange={event => model.pick({ [name]: event.currentTarget.value })}>
        {options.map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </HTMLSelect>
    </div>
  );
  const unnamed =
    wish.name === '' || model.named ? undefined : trans.__('A name has letters, digits, dots, dashes and underscores.');
  const none = ['', trans.__('none')] as const;
  const rows = tables.map(({ name, type, rows: count }) => [name, trans.__('%1 (%2, %3 rows)', name, type, String(count))] as const);
  return (
    <>
      {choice('model', trans.__('Fitted model'), names.models.map(one => [one.name, `${one.name} (${one.type})`]))}
      {text('name', trans.__('Register as'), `${id}-known`, unnamed)}
      <datalist id={`${id}-known`}>
        {known.map(name => (
          <option key={name} value={name} />
        ))}
      </datalist>
      {choice('data', trans.__('Training rows'), [none, ...rows])}
      {choice('target', trans.__('Labels of the training rows'), [none, ...labels(wish.data)])}
      {choice('validated', trans.__('Validation rows'), [none, ...rows])}
      {wish.validated !== '' && choice('outcomes', trans.__('Labels of the validation rows'), [none, ...labels(wish.validated)])}
      <p className="jp-ModelOpsDialog-hint" role="status">
        <HealthIcon health={wish.kind === 'decision' ? 'not judged' : model.measures ? 'healthy' : 'warning'} />
        {hint(model, trans)}
      </p>
      {text('description', trans.__('What it is for'))}
      <pre className="jp-ModelOpsRun-log" tabIndex={0} aria-label={trans.__('Code that will be inserted')}>
        {registerCode(wish, names.magic)}
      </pre>
    </>
  );
}

/** What the choices mean for the version's metrics, and so for its way through the gate. */
function hint({ measures, wish }: RegisterModel, trans: TranslationBundle): string {
  if (wish.kind === 'decision') {
    return trans.__('A decision table has no metrics to measure: the default policy asks for an approval alone.');
  }
  if (measures) {
    return trans.__('Metrics are measured on %1, and gates read those.', wish.validated);
  }
  if (wish.validated !== '' && wish.validated === wish.data) {
    return trans.__('These are the training rows, where any model can look good: nothing is measured, and the default policy takes only measured metrics.');
  }
  return trans.__('Without validation rows and their labels nothing is measured, and the default policy takes only measured metrics.');
}

function refusal(error: Error, trans: TranslationBundle): string {
  if (error instanceof KernelRefusal && error.code === 'no-package') {
    return trans.__("The notebook's kernel has no modelops_jupyter: install it there, then restart the kernel.");
  }
  if (error instanceof KernelRefusal && error.code === 'gone') {
    return trans.__('The kernel is not running: start or restart it from the Kernel menu, and run the cells again.');
  }
  return trans.__('The kernel did not answer: %1', error.message || trans.__('is it still running?'));
}
