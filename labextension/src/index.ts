import {
  ILabShell,
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ITranslator } from '@jupyterlab/translation';
import { IModelOps } from './tokens';

/**
 * The models of the workspace, at hand in the left sidebar, and a page for each.
 *
 * Voila loads every installed extension too, with modules of its own: there nothing further is loaded.
 */
const models: JupyterFrontEndPlugin<IModelOps | null> = {
  id: 'modelops-jupyter:plugin',
  description: "Shows the team's models, their health and their history, and acts on them.",
  autoStart: true,
  provides: IModelOps,
  optional: [ILabShell, ICommandPalette, ILayoutRestorer, ITranslator],
  activate: async (
    app: JupyterFrontEnd,
    labShell: ILabShell | null,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null
  ): Promise<IModelOps | null> => {
    if (!labShell && app.name === 'Voila') {
      return null;
    }
    const { start } = await import('./start');
    return start({ app, labShell, palette, restorer, translator });
  }
};

/** "Run with parameters…" on any notebook. */
const run: JupyterFrontEndPlugin<void> = {
  id: 'modelops-jupyter:run',
  description: 'Runs notebooks with parameters, and shows how they go cell by cell.',
  autoStart: true,
  optional: [IModelOps],
  activate: async (app: JupyterFrontEnd, modelops: IModelOps | null): Promise<void> => {
    if (modelops) {
      const { start } = await import('./run/start');
      await start(app, modelops);
    }
  }
};

export default [models, run];
