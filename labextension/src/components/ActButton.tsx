import { Button } from '@jupyterlab/ui-components';
import React from 'react';

interface IActButtonProps {
  readonly on: () => void;
  readonly disabled?: boolean;
  readonly children: React.ReactNode;
}

/** A button that does something on a page, in JupyterLab's own looks. */
export function ActButton({ on, disabled = false, children }: IActButtonProps): JSX.Element {
  return (
    <Button className="jp-mod-styled jp-mod-reject" onClick={on} disabled={disabled}>
      {children}
    </Button>
  );
}
