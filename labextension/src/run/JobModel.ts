import { VDomModel } from '@jupyterlab/ui-components';
import type { Client } from '../api';

export type JobState = 'running' | 'completed' | 'failed' | 'cancelled' | 'interrupted';

/** A slow verb under way or done, as the server answers it. */
export interface IJob {
  readonly id: string;
  readonly operation: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly actor: string;
  readonly state: JobState;
  readonly created_at: string;
  readonly ended_at: string | null;
  readonly result: unknown;
  readonly error: { readonly message: string; readonly code: string } | null;
}

/** How far one cell with code has come. */
export interface ICell {
  readonly notebook: string;
  readonly number: number;
  readonly total: number;
  readonly state: 'running' | 'completed' | 'failed';
  readonly source: string;
  readonly seconds: number | null;
  readonly output: string;
}

const AGAIN = 2000;

/** Follows a job to its end: cell by cell, through lost connections and reloads of the page. */
export class JobModel extends VDomModel {
  constructor(
    readonly id: string,
    private readonly client: Client
  ) {
    super();
    void this.follow();
  }

  /** The job, once it is known. */
  get job(): IJob | undefined {
    return this.known;
  }

  /** The cells that have begun, in order. */
  get cells(): readonly ICell[] {
    return [...this.begun.values()];
  }

  /** Whether the connection is lost for now. */
  get lost(): boolean {
    return this.away;
  }

  /** Why the job cannot be followed any further. */
  get error(): Error | undefined {
    return this.failure;
  }

  /** Whether it has been asked to end. */
  get cancelling(): boolean {
    return this.ending;
  }

  get running(): boolean {
    return this.known?.state === 'running' || (!this.known && !this.failure);
  }

  /** Ends the job and all it has started. */
  async cancel(): Promise<void> {
    this.ending = true;
    this.stateChanged.emit();
    try {
      this.known = await this.client.cancel<IJob>(`jobs/${this.id}`);
    } catch (error) {
      this.failure = error as Error;
    }
    this.ending = false;
    this.stateChanged.emit();
  }

  /** What the job's process printed. */
  async log(): Promise<string> {
    return (await this.client.get<{ text: string }>(`jobs/${this.id}/log`)).text;
  }

  override dispose(): void {
    this.stop.abort();
    super.dispose();
  }

  private async follow(): Promise<void> {
    while (!this.isDisposed && this.running) {
      try {
        this.known ??= await this.client.get<IJob>(`jobs/${this.id}`);
        this.stateChanged.emit();
        await this.client.events(`jobs/${this.id}/events`, this.after, this.stop.signal, event => {
          this.away = false;
          this.after = Number(event.id ?? this.after);
          this.hear(event.type, JSON.parse(event.data));
        });
      } catch (error) {
        const code = (error as { code?: string }).code;
        if (code !== undefined && code !== 'unreachable') {
          this.failure = error as Error;
          this.stateChanged.emit();
          return;
        }
        this.away = true;
        this.stateChanged.emit();
        await new Promise(resolve => setTimeout(resolve, AGAIN));
      }
    }
  }

  private hear(type: string, data: unknown): void {
    if (type === 'cell') {
      const cell = data as ICell;
      this.begun.set(`${cell.notebook}/${cell.number}`, cell);
    } else if (type === 'end') {
      this.known = data as IJob;
    }
    if (!this.isDisposed) {
      this.stateChanged.emit();
    }
  }

  private known: IJob | undefined;
  private failure: Error | undefined;
  private away = false;
  private ending = false;
  private after = 0;
  private readonly begun = new Map<string, ICell>();
  private readonly stop = new AbortController();
}
