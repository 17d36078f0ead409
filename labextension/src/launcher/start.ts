import type { JupyterFrontEnd } from '@jupyterlab/application';
import { ICommandPalette, Notification } from '@jupyterlab/apputils';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Client } from '../api';
import { dashboardIcon, pipelineIcon } from '../icons';
import { CommandIDs, type IModelOps } from '../tokens';
import template from './pipeline.json';


/** Adds the launcher's cards: a notebook that can be a pipeline's step, and the dashboards. */
export async function start(app: JupyterFrontEnd, { client, trans }: IModelOps): Promise<void> {
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
    caption: trans.__('Open the dashboards for everybody else in a browser tab'),
    icon: dashboardIcon,
    describedBy: {
      args: {
        type: 'object',
        properties: { isPalette: { type: 'boolean', description: trans.__('Whether the label stands in the palette') } },
        additionalProperties: false
      }
    },
    execute: () => openDashboard(client, trans)
  });
  for (const [rank, command] of [CommandIDs.newPipelineNotebook, CommandIDs.openDashboard].entries()) {
    launcher?.add({ command, category: 'ModelOps', rank });
    palette?.addItem({ command, category: 'ModelOps', args: { isPalette: true } });
  }
}

/** Opens the dashboards, which the server starts for the first who asks, in a tab of the browser. */
async function openDashboard(client: Client, trans: TranslationBundle): Promise<void> {
  const tab = window.open('', '_blank'); // now, as browsers open none for an answer that comes late
  if (tab) {
    tab.opener = null;
    tab.document.title = trans.__('Dashboard');
    tab.document.body.textContent = trans.__('Starting the dashboard…');
  }
  try {
    const { url } = await client.post<{ url: string }>('dashboard', {});
    if (tab && !tab.closed) {
      tab.location.replace(url);
    } else {
      const actions = [{ label: trans.__('Open'), callback: () => void window.open(url, '_blank', 'noopener') }];
      Notification.success(trans.__('The dashboard is running.'), { actions, autoClose: false });
    }
  } catch (error) {
    tab?.close();
    Notification.error((error as Error).message, { autoClose: false });
  }
}
