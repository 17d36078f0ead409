import { MimeData } from '@lumino/coreutils';
import { Drag } from '@lumino/dragdrop';
import { modelCode } from './code';
import type { IModelSummary } from './tokens';

const CELLS = 'application/vnd.jupyter.cells'; // what JupyterLab's notebook takes in between its cells
const FAR_ENOUGH = 6;

/** Starts a drag of code once the pointer has gone some way: dropped into a notebook it becomes a cell. */
export function dragCode(code: string, label: string, press: PointerEvent): void {
  const move = (event: PointerEvent): void => {
    if (Math.hypot(event.clientX - press.clientX, event.clientY - press.clientY) < FAR_ENOUGH) {
      return;
    }
    stop();
    const mimeData = new MimeData();
    mimeData.setData(CELLS, [{ cell_type: 'code', source: code, metadata: {}, outputs: [], execution_count: null }]);
    mimeData.setData('text/plain', code);
    const dragImage = document.createElement('div');
    dragImage.className = 'jp-ModelOpsDragImage';
    dragImage.textContent = label;
    const drag = new Drag({ mimeData, dragImage, supportedActions: 'copy', proposedAction: 'copy' });
    void drag.start(event.clientX, event.clientY).then(() => drag.dispose());
  };
  const stop = (): void => {
    document.removeEventListener('pointermove', move, true);
    document.removeEventListener('pointerup', stop, true);
  };
  document.addEventListener('pointermove', move, true);
  document.addEventListener('pointerup', stop, true);
}

export function dragModel(model: IModelSummary, press: PointerEvent): void {
  dragCode(modelCode(model.name, model.champion), model.name, press);
}
