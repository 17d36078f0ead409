import { Button } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import { localTime } from '../format';

/** While the first answer is awaited. */
export function Loading({ trans }: { trans: TranslationBundle }): JSX.Element {
  return (
    <p className="jp-ModelOpsNotice jp-mod-loading" role="status">
      {trans.__('Reading the workspace…')}
    </p>
  );
}

interface IFailedProps {
  readonly error: Error;
  readonly busy: boolean;
  /** Whether older figures are still shown below. */
  readonly stale: boolean;
  /** When those were read. */
  readonly readAt?: Date | undefined;
  readonly trans: TranslationBundle;
  readonly retry: () => void;
}

/** What went wrong, in the server's words, and the way to try again. */
export function Failed({ error, busy, stale, readAt, trans, retry }: IFailedProps): JSX.Element {
  return (
    <div className={`jp-ModelOpsNotice jp-mod-failed${stale ? ' jp-mod-stale' : ''}`} role="alert">
      <strong>
        {!stale
          ? trans.__('This could not be read')
          : readAt
            ? trans.__('Not up to date: read at %1', localTime(readAt.toISOString()))
            : trans.__('Not up to date')}
      </strong>
      <p>{error.message}</p>
      <Button className="jp-mod-styled jp-mod-reject" onClick={retry} disabled={busy}>
        {busy ? trans.__('Trying…') : trans.__('Retry')}
      </Button>
    </div>
  );
}
