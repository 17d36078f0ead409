import { Clipboard, Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { codeIcon } from '@jupyterlab/ui-components';
import React from 'react';
import { dragCode } from '../drag';

/** What a thing is in code: its label for people, and the Python that loads or shows it. */
export interface ICode {
  readonly label: string;
  readonly code: string;
}

/** A handle that is dragged into a notebook, where the code is inserted; pressed, it copies the code. */
export function CodeHandle({ label, code, trans }: ICode & { trans: TranslationBundle }): JSX.Element {
  return (
    <button
      type="button"
      className="jp-ModelOpsHandle"
      title={trans.__('Drag into a notebook, or press to copy the code')}
      aria-label={trans.__('Code of %1', label)}
      onPointerDown={event => event.button === 0 && dragCode(code, label, event.nativeEvent)}
      onClick={() => {
        Clipboard.copyToSystem(code);
        Notification.info(trans.__('The code of %1 is copied: paste it into a cell.', label), { autoClose: 3000 });
      }}
    >
      <codeIcon.react tag="span" width="14px" height="14px" />
    </button>
  );
}
