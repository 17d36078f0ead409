import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

const COMMAND = '%modelops adopt --all';

interface IUnadoptedProps {
  readonly count: number;
  readonly trans: TranslationBundle;
  readonly copy: (text: string) => void;
}

/** How many models of the MLflow registry are not on record, and the line that puts them there. */
export function Unadopted({ count, trans, copy }: IUnadoptedProps): JSX.Element | null {
  if (count === 0) {
    return null;
  }
  return (
    <div className="jp-ModelOpsNotice" role="status" aria-label={trans.__('Models to adopt')}>
      <p>
        {trans._n(
          '%2 model of the MLflow registry is not adopted yet: run this in a notebook.',
          '%2 models of the MLflow registry are not adopted yet: run this in a notebook.',
          count,
          count.toLocaleString('en')
        )}
      </p>
      <pre tabIndex={0} aria-label={trans.__('Code that adopts them')}>
        {COMMAND}
      </pre>
      <button type="button" className="jp-ModelOpsLink" onClick={() => copy(COMMAND)}>
        {trans.__('Copy code')}
      </button>
    </div>
  );
}
