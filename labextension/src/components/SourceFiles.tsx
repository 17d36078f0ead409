import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

/** The source that a version runs of the project it was made in, a file under each fold. */
export function SourceFiles({ files, trans }: { files: Readonly<Record<string, string>>; trans: TranslationBundle }): JSX.Element {
  return (
    <>
      {Object.entries(files).map(([file, text]) => (
        <details key={file}>
          <summary>{trans.__('Source of %1', file)}</summary>
          <pre className="jp-ModelOpsRun-log" tabIndex={0} aria-label={trans.__('Source of %1', file)}>
            {text}
          </pre>
        </details>
      ))}
    </>
  );
}
