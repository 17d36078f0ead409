import { Button } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

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
  readonly trans: TranslationBundle;
  readonly retry: () => void;
}

/** What went wrong, in the server's words, and the way to try again. */
export function Failed({ error, busy, stale, trans, retry }: IFailedProps): JSX.Element {
  return (
    <div className={`jp-ModelOpsNotice jp-mod-error${stale ? ' jp-mod-stale' : ''}`} role="alert">
      <strong>{stale ? trans.__('Not up to date') : trans.__('This could not be read')}</strong>
      <p>{error.message}</p>
      <Button className="jp-mod-styled jp-mod-reject" onClick={retry} disabled={busy}>
        {busy ? trans.__('Trying…') : trans.__('Retry')}
      </Button>
    </div>
  );
}
