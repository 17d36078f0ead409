import { VDomModel } from '@jupyterlab/ui-components';
import { Poll } from '@lumino/polling';

const EVERY = 30_000;
const AT_MOST = 300_000;

/** What a view of the server's data shows: the data, what went wrong last, and whether it is asking now. */
export class Live<T> extends VDomModel {
  constructor(read: () => Promise<T>, name: string) {
    super();
    this.poll = new Poll({
      auto: false,
      factory: () => this.ask(read),
      frequency: { interval: EVERY, backoff: true, max: AT_MOST },
      name,
      standby: () => this.watchers.size === 0 || (document.hidden && this.current !== undefined)
    });
  }

  /** What was read last, or undefined before the first answer. */
  get data(): T | undefined {
    return this.current;
  }

  /** When it was read, or undefined before the first answer. */
  get readAt(): Date | undefined {
    return this.at;
  }

  /** Why the last attempt failed, or undefined. */
  get error(): Error | undefined {
    return this.failure;
  }

  /** Whether an answer is awaited. */
  get busy(): boolean {
    return this.asking;
  }

  /** How often it asks, in milliseconds. */
  set every(interval: number) {
    this.poll.frequency = { interval, backoff: true, max: Math.max(interval, AT_MOST) };
  }

  /** Says whether a view can be seen: while none can, nothing is asked. */
  watch(view: object, visible: boolean): void {
    const appeared = visible && !this.watchers.has(view);
    if (visible) {
      this.watchers.add(view);
    } else {
      this.watchers.delete(view);
    }
    if (appeared) {
      this.refresh();
    }
  }

  /** Asks now. */
  refresh(): void {
    void this.poll.refresh();
  }

  override dispose(): void {
    this.poll.dispose();
    super.dispose();
  }

  private async ask(read: () => Promise<T>): Promise<void> {
    this.asking = true;
    this.stateChanged.emit();
    try {
      this.current = await read();
      this.at = new Date();
      this.failure = undefined;
    } catch (error) {
      this.failure = error instanceof Error ? error : new Error(String(error));
      throw error;
    } finally {
      this.asking = false;
      if (!this.isDisposed) {
        this.stateChanged.emit();
      }
    }
  }

  private readonly poll: Poll;
  private readonly watchers = new Set<object>();
  private current: T | undefined;
  private at: Date | undefined;
  private failure: Error | undefined;
  private asking = false;
}
