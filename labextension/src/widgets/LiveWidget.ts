import { VDomRenderer } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import type { Live } from '../live';

/** A widget over live data, which is asked for only while the widget can be seen. */
export abstract class LiveWidget<T> extends VDomRenderer<Live<T>> {
  constructor(protected readonly live: Live<T>) {
    super(live);
  }

  override dispose(): void {
    this.live.dispose();
    super.dispose();
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this.live.watch(this, this.isVisible);
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.live.watch(this, true);
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this.live.watch(this, false);
  }

  protected override onBeforeDetach(message: Message): void {
    this.live.watch(this, false);
    super.onBeforeDetach(message);
  }
}
