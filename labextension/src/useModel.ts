import type { VDomModel } from '@jupyterlab/ui-components';
import React from 'react';

/** Draws a part again whenever a model changes. */
export function useModel(model: VDomModel | null): void {
  const [, again] = React.useReducer((count: number) => count + 1, 0);
  React.useEffect(() => {
    model?.stateChanged.connect(again);
    return () => {
      model?.stateChanged.disconnect(again);
    };
  }, [model]);
}
