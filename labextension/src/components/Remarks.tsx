import React from 'react';
import type { IOverview } from '../tokens';
import { Prose } from './Prose';

/** What is not judged of a model, and why. */
export function Remarks({ page }: { page: IOverview }): JSX.Element {
  return (
    <>
      {page.summary.remarks.map(text => (
        <p key={text} className="jp-ModelOpsPage-quiet">
          <Prose text={text} />
        </p>
      ))}
    </>
  );
}
