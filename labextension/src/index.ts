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

/** "Register a Model…" from a live notebook. */
const register: JupyterFrontEndPlugin<void> = {
  id: 'modelops-jupyter:register',
  description: 'Registers a fitted model of a notebook, with a line of code that stays in it.',
  autoStart: true,
  optional: [IModelOps],
  activate: async (app: JupyterFrontEnd, modelops: IModelOps | null): Promise<void> => {
    if (modelops) {
      const { start } = await import('./register/start');
      await start(app, modelops);
    }
  }
};

/** Model references in lines of `%modelops`. */
const completer: JupyterFrontEndPlugin<void> = {
  id: 'modelops-jupyter:completer',
  description: 'Completes the names of models, their versions and champions in lines of %modelops.',
  autoStart: true,
  optional: [IModelOps],
  activate: async (app: JupyterFrontEnd, modelops: IModelOps | null): Promise<void> => {
    if (modelops) {
      const { start } = await import('./register/complete');
      await start(app, modelops);
    }
  }
};

/** Open alerts in the status bar, and notifications of new incidents. */
const alerts: JupyterFrontEndPlugin<void> = {
  id: 'modelops-jupyter:alerts',
  description: 'Says how many alerts are open, and tells of new incidents.',
  autoStart: true,
  optional: [IModelOps],
  activate: async (app: JupyterFrontEnd, modelops: IModelOps | null): Promise<void> => {
    if (modelops) {
      const { start } = await import('./alerts/start');
      await start(app, modelops);
    }
  }
};

export default [models, run, register, completer, alerts];
