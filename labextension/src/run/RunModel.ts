import { VDomModel } from '@jupyterlab/ui-components';
import { Signal } from '@lumino/signaling';
import { UUID } from '@lumino/coreutils';
import type { Client } from '../api';
import { type IJob, JobModel } from './JobModel';
import { changed, type IParameter, type IQuestion, outputPath, question, read } from './parameters';

/** A notebook to be run with parameters: its form, then the job. */
export class RunModel extends VDomModel {
  constructor(
    readonly path: string,
    readonly client: Client,
    job?: string
  ) {
    super();
    this.target = outputPath(path, new Date());
    if (job) {
      this.take(new JobModel(job, client));
    } else {
      void this.inspect();
    }
  }

  /** What the notebook asks for, once it has been read. */
  get questions(): readonly IQuestion[] | undefined {
    return this.asked;
  }

  get answers(): Readonly<Record<string, string>> {
    return this.given;
  }

  get output(): string {
    return this.target;
  }
  set output(path: string) {
    this.target = path;
    this.stateChanged.emit();
  }

  /** The job, once it was started. */
  get job(): JobModel | null {
    return this.started;
  }

  /** Emitted when a job begins or is put away. */
  readonly jobChanged = new Signal<this, void>(this);

  get error(): Error | undefined {
    return this.failure;
  }

  get pending(): boolean {
    return this.starting;
  }

  /** Whether every answer can be read. */
  get ready(): boolean {
    const good = (one: IQuestion): boolean => {
      const text = this.given[one.name] ?? one.initial;
      return text === one.initial || 'value' in read(one, text);
    };
    return !this.starting && this.asked !== undefined && this.target.endsWith('.ipynb') && this.asked.every(good);
  }

  answer(name: string, text: string): void {
    this.given = { ...this.given, [name]: text };
    this.stateChanged.emit();
  }

  /** Reads the notebook's parameters. */
  async inspect(): Promise<void> {
    this.failure = undefined;
    this.stateChanged.emit();
    try {
      const found = await this.client.get<{ rows: readonly IParameter[] }>('notebook-parameters', { path: this.path });
      this.asked = found.rows.map(question);
    } catch (error) {
      this.failure = error as Error;
    }
    this.stateChanged.emit();
  }

  /** Starts it, once. */
  async start(): Promise<void> {
    if (!this.ready || this.asked === undefined) {
      return;
    }
    this.starting = true;
    this.failure = undefined;
    this.stateChanged.emit();
    try {
      const parameters = changed(this.asked, this.given);
      const body = { path: this.path, parameters, output: this.target };
      const job = await this.client.post<IJob>('run-notebook', body, this.key);
      this.take(new JobModel(job.id, this.client));
    } catch (error) {
      this.failure = error as Error;
      this.key = UUID.uuid4();
    }
    this.starting = false;
    this.stateChanged.emit();
  }

  /** Puts the job away and asks again, with the same answers. */
  again(): void {
    this.started?.dispose();
    this.started = null;
    this.key = UUID.uuid4();
    this.target = outputPath(this.path, new Date());
    this.jobChanged.emit();
    void this.inspect();
  }

  override dispose(): void {
    this.started?.dispose();
    super.dispose();
  }

  private take(job: JobModel): void {
    this.started = job;
    job.stateChanged.connect(() => this.stateChanged.emit());
    this.jobChanged.emit();
  }

  private asked: readonly IQuestion[] | undefined;
  private given: Readonly<Record<string, string>> = {};
  private target: string;
  private started: JobModel | null = null;
  private starting = false;
  private failure: Error | undefined;
  private key = UUID.uuid4();
}
