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
    if (app.name === 'Voila') {
      return null;
    }
    const { start } = await import('./start');
    return start({ app, labShell, palette, restorer, translator });
  }
};

interface IPart {
  readonly start: (app: JupyterFrontEnd, modelops: IModelOps) => Promise<void>;
}

/**
 * A part that stands on the models and can be switched off by itself.
 *
 * What it needs of JupyterLab it asks for when it starts: Voila has not all of the modules, and must not miss them.
 */
function part(name: string, description: string, load: () => Promise<IPart>): JupyterFrontEndPlugin<void> {
  return {
    id: `modelops-jupyter:${name}`,
    description,
    autoStart: true,
    optional: [IModelOps],
    activate: async (app: JupyterFrontEnd, modelops: IModelOps | null): Promise<void> => {
      if (modelops) {
        await (await load()).start(app, modelops);
      }
    }
  };
}

export default [
  models,
  part('run', 'Runs notebooks with parameters, and shows how they go cell by cell.', () => import('./run/start')),
  part(
    'register',
    'Registers a fitted model of a notebook, with a line of code that stays in it.',
    () => import('./register/start')
  ),
  part(
    'completer',
    'Completes the names of models, their versions and champions in lines of %modelops.',
    () => import('./register/complete')
  ),
  part('alerts', 'Says how many alerts are open, and tells of new incidents.', () => import('./alerts/start')),
  part('launcher', 'Adds a pipeline notebook and the dashboards to the launcher.', () => import('./launcher/start'))
];
