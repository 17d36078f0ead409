import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

const SNIPPET = `import modelops_jupyter as mo

ws = mo.open()
ws.register(
    model, "my-model",
    data=X, target=y)`;

interface IEmptyFleetProps {
  readonly trans: TranslationBundle;
  readonly copy: (text: string) => void;
}

/** What a workspace without models says: how the first one gets in. */
export function EmptyFleet({ trans, copy }: IEmptyFleetProps): JSX.Element {
  return (
    <div className="jp-ModelOpsNotice">
      <strong>{trans.__('No models yet')}</strong>
      <p>{trans.__('Register the first one from a notebook in the folder that JupyterLab was started in:')}</p>
      <pre tabIndex={0} aria-label={trans.__('Code that registers a model')}>
        {SNIPPET}
      </pre>
      <button type="button" className="jp-ModelOpsLink" onClick={() => copy(SNIPPET)}>
        {trans.__('Copy code')}
      </button>
    </div>
  );
}
