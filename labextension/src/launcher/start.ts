import type { JupyterFrontEnd } from '@jupyterlab/application';
import { ICommandPalette, type MainAreaWidget, Notification } from '@jupyterlab/apputils';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import type { TerminalManager } from '@jupyterlab/services';
import type { Widget } from '@lumino/widgets';
import { dashboardIcon, pipelineIcon } from '../icons';
import { CommandIDs, type IModelOps } from '../tokens';
import template from './pipeline.json';

const TERMINAL = 'terminal:create-new';
const NO_ARGUMENTS = { args: { type: 'object', properties: {}, additionalProperties: false } } as const;

/** Adds the launcher's cards: a notebook that can be a pipeline's step, and the dashboards. */
export async function start(app: JupyterFrontEnd, { trans }: IModelOps): Promise<void> {
  const { commands, serviceManager } = app;
  const launcher = await app.resolveOptionalService(ILauncher);
  const palette = await app.resolveOptionalService(ICommandPalette);
  const browser = await app.resolveOptionalService(IDefaultFileBrowser);

  commands.addCommand(CommandIDs.newPipelineNotebook, {
    label: args => (args['isPalette'] ? trans.__('New Pipeline Notebook') : trans.__('Pipeline notebook')),
    caption: trans.__('A notebook with a parameters cell, ready to be a step of a pipeline'),
    icon: pipelineIcon,
    describedBy: {
      args: {
        type: 'object',
        properties: {
          cwd: { type: 'string', description: trans.__('The folder to make it in') },
          isPalette: { type: 'boolean', description: trans.__('Whether the label stands in the palette') }
        },
        additionalProperties: false
      }
    },
    execute: async args => {
      const path = typeof args['cwd'] === 'string' ? args['cwd'] : (browser?.model.path ?? '');
      const { contents } = serviceManager;
      const made = await contents.newUntitled({ path, type: 'notebook' });
      await contents.save(made.path, { type: 'notebook', format: 'json', content: template });
      return commands.execute('docmanager:open', { path: made.path, factory: 'Notebook' });
    }
  });
  commands.addCommand(CommandIDs.openDashboard, {
    label: args => (args['isPalette'] ? trans.__('Open Dashboard') : trans.__('Dashboard')),
    caption: trans.__('Start the Voila dashboards in a terminal, which says where they are'),
    icon: dashboardIcon,
    describedBy: NO_ARGUMENTS,
    isVisible: () => commands.hasCommand(TERMINAL),
    execute: async () => {
      const terminal = (await commands.execute(TERMINAL)) as MainAreaWidget<ITerminal> | undefined;
      if (!terminal) {
        Notification.error(trans.__('No terminal can be opened here: run `modelops dashboard` in a shell.'));
        return;
      }
      await terminal.content.session.ready;
      terminal.content.session.send({ type: 'stdin', content: ['modelops dashboard\r'] });
    }
  });
  for (const [rank, command] of [CommandIDs.newPipelineNotebook, CommandIDs.openDashboard].entries()) {
    launcher?.add({ command, category: 'ModelOps', rank });
    palette?.addItem({ command, category: 'ModelOps', args: { isPalette: true } });
  }
}

/** As much of a terminal's widget as is needed to type into it. */
interface ITerminal extends Widget {
  readonly session: Awaited<ReturnType<TerminalManager['startNew']>> & { readonly ready?: Promise<void> };
}
