import { UUID } from '@lumino/coreutils';
import { VDomModel } from '@jupyterlab/ui-components';
import type { Client } from '../api';

/** Something that a person wants done with a reason: the sending of it, once, and what became of it. */
export abstract class Wish extends VDomModel {
  constructor(protected readonly client: Client) {
    super();
  }

  get reason(): string {
    return this.why;
  }
  set reason(reason: string) {
    this.why = reason;
    this.stateChanged.emit();
  }

  /** Whether it is being done. */
  get pending(): boolean {
    return this.doing;
  }

  /** Why the last attempt failed. */
  get error(): Error | undefined {
    return this.failure;
  }

  get ready(): boolean {
    return !this.doing && this.why.trim() !== '';
  }

  /** The verb, and what it is told. */
  protected abstract request(reason: string): { readonly verb: string; readonly body: object };

  protected set error(error: Error | undefined) {
    this.failure = error;
    this.stateChanged.emit();
  }

  /** Does it, once; returns whether it is done. */
  async perform(): Promise<boolean> {
    if (!this.ready) {
      return false;
    }
    this.doing = true;
    this.error = undefined;
    try {
      const { verb, body } = this.request(this.why.trim());
      await this.client.post(verb, body, this.key(body));
      return true;
    } catch (error) {
      this.failure = error as Error;
      return false;
    } finally {
      this.doing = false;
      this.stateChanged.emit();
    }
  }

  /** One key for one wish: sent again it is the same request, changed it is another. */
  private key(body: object): string {
    const text = JSON.stringify(body);
    if (text !== this.text) {
      this.text = text;
      this.textKey = UUID.uuid4();
    }
    return this.textKey;
  }

  private why = '';
  private doing = false;
  private failure: Error | undefined;
  private text = '';
  private textKey = '';
}
