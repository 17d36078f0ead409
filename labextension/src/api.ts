import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import { UUID } from '@lumino/coreutils';
import { EventCutter, type IServerEvent } from './run/stream';
import type { IFleet, IGate, IOverview } from './tokens';

const API = 'modelops/api/v1';

/** Values of a query; those that are null or undefined are left out. */
export type Query = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** What the server answered instead of what was asked for. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly code: string
  ) {
    super(message);
  }
}

/** Reads a resource again and again, and carries nothing over the wire where it has not changed. */
export class Resource<T> {
  constructor(
    private readonly settings: ServerConnection.ISettings,
    private readonly path: string
  ) {}

  /** Returns the very same object as long as the server says that nothing changed. */
  async read(): Promise<T> {
    const headers = this.etag ? { 'If-None-Match': this.etag } : {};
    const response = await ask(this.settings, this.path, { headers });
    if (response.status === 304 && this.last !== undefined) {
      return this.last;
    }
    this.last = await answer<T>(response);
    this.etag = response.headers.get('ETag');
    return this.last;
  }

  private etag: string | null = null;
  private last: T | undefined;
}

/** The server's verbs: readers are GET with a query, writers POST with a body, both with Python's argument names. */
export class Client {
  constructor(readonly settings: ServerConnection.ISettings) {}

  /** Every model of the workspace. */
  fleet(): Resource<IFleet> {
    return new Resource(this.settings, 'models');
  }

  /** One model's page. */
  overview(name: string): Resource<IOverview> {
    return new Resource(this.settings, `models/${encodeURIComponent(name)}`);
  }

  /** How many models of the MLflow registry are not on record. */
  async unadopted(): Promise<number> {
    return (await this.get<{ readonly unadopted: number }>('status')).unadopted;
  }

  /** Asks the policy about moving a version to an alias; its answer goes on record. */
  async check(version: string, alias: string): Promise<IGate> {
    return this.post('check', { version, alias });
  }

  /** Reads once. */
  async get<T>(path: string, query: Query = {}): Promise<T> {
    return answer<T>(await ask(this.settings, path + search(query)));
  }

  /** Does something, and under one `key` only once, however often it is sent. */
  async post<T>(path: string, body: object, key: string = UUID.uuid4()): Promise<T> {
    const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': key };
    return answer<T>(await ask(this.settings, path, { method: 'POST', body: JSON.stringify(body), headers }));
  }

  /** Ends what a resource stands for. */
  async cancel<T>(path: string): Promise<T> {
    return answer<T>(await ask(this.settings, path, { method: 'DELETE' }));
  }

  /** Hears events as they come, those behind number `after`, until the server has no more. */
  async events(path: string, after: number, signal: AbortSignal, hear: (event: IServerEvent) => void): Promise<void> {
    const response = await ask(this.settings, path + search({ after }), { signal, cache: 'no-store' });
    if (!response.ok || !response.body) {
      throw refusal(response.status, await response.text());
    }
    const cutter = new EventCutter();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        return;
      }
      cutter.push(value).forEach(hear);
    }
  }
}

function search(query: Query): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== null && value !== undefined);
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs.map(([name, value]) => [name, String(value)]))}`;
}

async function ask(settings: ServerConnection.ISettings, path: string, init: RequestInit = {}): Promise<Response> {
  try {
    return await ServerConnection.makeRequest(URLExt.join(settings.baseUrl, API, path), init, settings);
  } catch (error) {
    if (error instanceof ServerConnection.NetworkError) {
      throw unreachable();
    }
    throw error;
  }
}

async function answer<T>(response: Response): Promise<T> {
  const text = await response.text();
  if (!response.ok) {
    throw refusal(response.status, text);
  }
  return JSON.parse(text) as T;
}

function unreachable(): ApiError {
  return new ApiError('The Jupyter server cannot be reached: is it still running?', 'unreachable');
}

function refusal(status: number, text: string): ApiError {
  let body: { message?: unknown; code?: unknown } = {};
  try {
    body = JSON.parse(text) as typeof body;
  } catch {
    // Not our server extension: a proxy, or Jupyter's own page.
  }
  if (status === 404 && body.code === undefined) {
    return new ApiError(
      'The ModelOps server extension is not running. Run `jupyter server extension enable modelops_jupyter`, then restart Jupyter.',
      'no-server-extension'
    );
  }
  if (body.code === undefined && [502, 503, 504].includes(status)) {
    return unreachable(); // a hub's proxy, while the server behind it is down or starts
  }
  const message = typeof body.message === 'string' ? body.message : `The server answered with status ${status}.`;
  return new ApiError(message, typeof body.code === 'string' ? body.code : 'error');
}
