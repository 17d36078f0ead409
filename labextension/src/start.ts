import type { ILabShell, ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import { Clipboard, type ICommandPalette, Notification } from '@jupyterlab/apputils';
import { type ITranslator, nullTranslator } from '@jupyterlab/translation';
import { linkIcon, refreshIcon } from '@jupyterlab/ui-components';
import { ask } from './actions/ActionDialog';
import { handle } from './actions/IncidentDialog';
import { Client } from './api';
import { dragModel } from './drag';
import { modelsIcon } from './icons';
import { files } from './files';
import { Live } from './live';
import { Pages } from './pages';
import { type Action, CommandIDs, type IModelOps, type TabName, TABS } from './tokens';
import { FleetWidget } from './widgets/FleetWidget';
import type { ModelWidget } from './widgets/ModelWidget';

export interface IParts {
  readonly app: JupyterFrontEnd;
  readonly labShell: ILabShell | null;
  readonly palette: ICommandPalette | null;
  readonly restorer: ILayoutRestorer | null;
  readonly translator: ITranslator | null;
}

/** Puts the panel, the pages and the commands in place. */
export function start({ app, labShell, palette, restorer, translator }: IParts): IModelOps {
  const trans = (translator ?? nullTranslator).load('modelops_jupyter');
  const client = new Client(app.serviceManager.serverSettings);
  const fleet = client.fleet();
  const models = new Live(() => fleet.read(), 'modelops:models');

  const refresh = (): void => {
    models.refresh();
    pages.refresh();
  };
  const act = async (action: Action, page: ModelWidget, version?: number): Promise<void> => {
    const said = page.overview && (await ask(action, page.overview, version, client, trans));
    if (said) {
      Notification.success(said, { autoClose: 5000 });
      refresh();
    }
  };
  const pages = new Pages(app, client, trans, {
    act: (action, page, version) => void act(action, page, version),
    handle: (action, incident) => handle(action, incident, service),
    files: files(app)
  });
  const service: IModelOps = { client, models, trans, open: (name, tab) => pages.open(name, tab), refresh };

  const panel = new FleetWidget(models, trans, name => pages.open(name), dragModel, () => client.unadopted());
  app.shell.add(panel, 'left', { rank: 350, type: 'Models' });
  restorer?.add(panel, 'modelops-models');
  labShell?.currentChanged.connect(() => {
    panel.current = pages.current?.name ?? null;
  });

  addCommands(app, service, pages, panel, (action, page) => void act(action, page));
  const inPalette = [CommandIDs.showModels, CommandIDs.refresh, CommandIDs.copyLink, ...Object.values(ACTIONS)];
  inPalette.forEach(command => palette?.addItem({ command, category: 'ModelOps' }));
  void restorer?.restore(pages.tracker, {
    command: CommandIDs.openModel,
    args: tab => ({ name: tab.content.name, tab: tab.content.tab }),
    name: tab => tab.content.name
  });
  void app.restored.then(() => pages.openFromAddress());
  return service;
}

const ACTIONS: Readonly<Record<Action, string>> = {
  approve: CommandIDs.approve,
  reject: CommandIDs.reject,
  comment: CommandIDs.comment,
  promote: CommandIDs.promote,
  rollback: CommandIDs.rollback
};

const NO_ARGUMENTS = { args: { type: 'object', properties: {}, additionalProperties: false } } as const;

function addCommands(
  app: JupyterFrontEnd,
  { trans, refresh }: IModelOps,
  pages: Pages,
  panel: FleetWidget,
  act: (action: Action, page: ModelWidget) => void
): void {
  const { commands, shell } = app;
  commands.addCommand(CommandIDs.showModels, {
    label: trans.__('Show Models'),
    caption: trans.__("Show the team's models, their health and open alerts"),
    icon: modelsIcon,
    describedBy: NO_ARGUMENTS,
    execute: () => {
      shell.activateById(panel.id);
      panel.focusSearch();
    }
  });
  commands.addCommand(CommandIDs.openModel, {
    label: args => (typeof args['name'] === 'string' ? trans.__('Open Model %1', args['name']) : trans.__('Open Model')),
    caption: trans.__("Open a model's page: performance, alerts, versions and history"),
    icon: modelsIcon,
    describedBy: {
      args: {
        type: 'object',
        properties: {
          name: { type: 'string', description: trans.__('The name of the model') },
          tab: { type: 'string', enum: [...TABS], description: trans.__('The tab to show') }
        },
        required: ['name'],
        additionalProperties: false
      }
    },
    isEnabled: args => typeof args['name'] === 'string',
    execute: args => {
      if (typeof args['name'] === 'string') {
        pages.open(args['name'], TABS.find(tab => tab === args['tab']) as TabName | undefined);
      }
    }
  });
  commands.addCommand(CommandIDs.refresh, {
    label: trans.__('Refresh Models'),
    caption: trans.__('Read the models from the workspace again'),
    icon: refreshIcon,
    describedBy: NO_ARGUMENTS,
    execute: refresh
  });
  commands.addCommand(CommandIDs.copyLink, {
    label: trans.__('Copy Link to Model'),
    caption: trans.__("Copy the address of the model's page"),
    icon: linkIcon,
    describedBy: NO_ARGUMENTS,
    isEnabled: () => pages.current !== null,
    execute: () => Clipboard.copyToSystem(pages.address(pages.current?.name ?? ''))
  });
  const labels: Readonly<Record<Action, string>> = {
    approve: trans.__('Approve a Version…'),
    reject: trans.__('Reject a Version…'),
    comment: trans.__('Comment on a Version…'),
    promote: trans.__('Promote a Version…'),
    rollback: trans.__('Roll Back Model…')
  };
  for (const [action, id] of Object.entries(ACTIONS) as [Action, string][]) {
    commands.addCommand(id, {
      label: labels[action],
      caption: trans.__('For the model whose page is in front'),
      describedBy: NO_ARGUMENTS,
      isEnabled: () => pages.current?.overview !== undefined,
      execute: () => {
        if (pages.current) {
          act(action, pages.current);
        }
      }
    });
  }
}
