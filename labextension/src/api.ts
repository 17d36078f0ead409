import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import type { IFleet, IOverview } from './tokens';

const ROUTE = 'modelops/api/v1/models';

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
    const url = URLExt.join(this.settings.baseUrl, this.path);
    const headers = this.etag ? { 'If-None-Match': this.etag } : {};
    const response = await ServerConnection.makeRequest(url, { headers }, this.settings);
    if (response.status === 304 && this.last !== undefined) {
      return this.last;
    }
    const text = await response.text();
    if (!response.ok) {
      throw refusal(response.status, text);
    }
    this.last = JSON.parse(text) as T;
    this.etag = response.headers.get('ETag');
    return this.last;
  }

  private etag: string | null = null;
  private last: T | undefined;
}

/** Every model of the workspace. */
export function fleet(settings: ServerConnection.ISettings): Resource<IFleet> {
  return new Resource(settings, ROUTE);
}

/** One model's page. */
export function overview(settings: ServerConnection.ISettings, name: string): Resource<IOverview> {
  return new Resource(settings, `${ROUTE}/${encodeURIComponent(name)}`);
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
  const message = typeof body.message === 'string' ? body.message : `The server answered with status ${status}.`;
  return new ApiError(message, typeof body.code === 'string' ? body.code : 'error');
}
