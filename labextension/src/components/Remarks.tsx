import React from 'react';
import type { IOverview } from '../tokens';

/** What is not judged of a model, and why. */
export function Remarks({ page }: { page: IOverview }): JSX.Element {
  return (
    <>
      {page.summary.remarks.map(text => (
        <p key={text} className="jp-ModelOpsPage-quiet">
          {text}
        </p>
      ))}
    </>
  );
}
