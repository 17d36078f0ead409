import type { JupyterFrontEnd } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker, NotebookActions, type NotebookPanel } from '@jupyterlab/notebook';
import { addIcon } from '@jupyterlab/ui-components';
import { Debouncer } from '@lumino/polling';
import { CommandIDs, type IModelOps } from '../tokens';
import { liveNames } from './kernel';
import { askRegistration } from './RegisterDialog';

const AFTER_A_CELL = 500;

/** Adds "Register a Model…" for notebooks with a Python kernel. */
export async function start(app: JupyterFrontEnd, modelops: IModelOps): Promise<void> {
  const notebooks = await app.resolveOptionalService(INotebookTracker);
  const palette = await app.resolveOptionalService(ICommandPalette);
  if (!notebooks) {
    return;
  }
  const { trans } = modelops;
  const look = new Debouncer(() => modelops.refresh(), AFTER_A_CELL);
  NotebookActions.executed.connect(() => void look.invoke()); // what a cell has done to models shows at once
  app.commands.addCommand(CommandIDs.registerModel, {
    label: trans.__('Register a Model…'),
    caption: trans.__('Register a fitted model of this notebook; the line that does it is inserted and run'),
    icon: addIcon,
    describedBy: { args: { type: 'object', properties: {}, additionalProperties: false } },
    isEnabled: () => notebooks.currentWidget !== null,
    execute: async () => {
      const panel = notebooks.currentWidget;
      if (panel) {
        await register(panel, modelops);
      }
    }
  });
  palette?.addItem({ command: CommandIDs.registerModel, category: 'ModelOps' });
}

async function register(panel: NotebookPanel, { models, trans, refresh }: IModelOps): Promise<void> {
  const known = (models.data?.rows ?? []).map(model => model.name);
  const code = await askRegistration(() => liveNames(panel.sessionContext.session?.kernel), trans, known);
  if (code === null) {
    return;
  }
  const notebook = panel.content;
  const active = notebook.activeCell?.model;
  if (active?.type !== 'code' || active.sharedModel.getSource() !== '') {
    NotebookActions.insertBelow(notebook);
  }
  notebook.activeCell?.model.sharedModel.setSource(code);
  await NotebookActions.run(notebook, panel.sessionContext);
  refresh();
}
