import {
  ILabShell,
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ITranslator } from '@jupyterlab/translation';

/**
 * The models of the workspace, at hand in the left sidebar.
 *
 * Voila and Notebook load every installed extension too, with modules of their own: only where there is
 * JupyterLab's shell is anything further loaded.
 */
const plugin: JupyterFrontEndPlugin<void> = {
  id: 'modelops-jupyter:plugin',
  description: "Shows the team's models, their health and their history.",
  autoStart: true,
  optional: [ILabShell, ICommandPalette, ILayoutRestorer, ITranslator],
  activate: async (
    app: JupyterFrontEnd,
    shell: ILabShell | null,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null
  ): Promise<void> => {
    if (shell) {
      const { start } = await import('./start');
      start({ app, shell, palette, restorer, translator });
    }
  }
};

export default plugin;
