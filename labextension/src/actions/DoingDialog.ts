import { Dialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { VDomModel } from '@jupyterlab/ui-components';
import type { Widget } from '@lumino/widgets';

/** Something to be done through a dialog. */
export interface IDoing extends VDomModel {
  /** Whether everything needed is said. */
  readonly ready: boolean;
  readonly pending: boolean;
  /** Does it; returns whether it is done. */
  perform(): Promise<boolean>;
}

/** A dialog that stays until what it is for is done, so that a refusal is read where it can be answered. */
export class DoingDialog extends Dialog<void> {
  constructor(
    private readonly doing: IDoing,
    private readonly accept: string,
    private readonly trans: TranslationBundle,
    title: string,
    body: Widget
  ) {
    super({
      title,
      body,
      buttons: [Dialog.cancelButton({ label: trans.__('Cancel') }), Dialog.okButton({ label: accept })],
      focusNodeSelector: 'textarea'
    });
    this.addClass('jp-ModelOpsDialog');
    this.node.setAttribute('aria-label', title);
    doing.stateChanged.connect(this.follow, this);
  }

  override resolve(index?: number): void {
    if (index === 0) {
      super.resolve(0);
      return;
    }
    if (this.doing.pending) {
      return;
    }
    void this.doing.perform().then(done => {
      if (done) {
        super.resolve(1);
      } else {
        this.node.querySelector('textarea')?.focus(); // where the answer to a refusal is written
      }
    });
  }

  override dispose(): void {
    this.doing.stateChanged.disconnect(this.follow, this);
    super.dispose();
  }

  protected override onAfterAttach(message: Parameters<Dialog<void>['processMessage']>[0]): void {
    super.onAfterAttach(message);
    this.follow();
  }

  private follow(): void {
    const button = this.node.querySelector<HTMLButtonElement>('.jp-Dialog-button.jp-mod-accept');
    if (button) {
      button.disabled = !this.doing.ready;
      const label = button.querySelector('.jp-Dialog-buttonLabel');
      if (label) {
        label.textContent = this.doing.pending ? this.trans.__('Working…') : this.accept;
      }
    }
  }
}
