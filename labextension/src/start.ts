import type { ILabShell, ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import { type ICommandPalette, type MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { type ITranslator, nullTranslator } from '@jupyterlab/translation';
import { refreshIcon } from '@jupyterlab/ui-components';
import { fleet, overview } from './api';
import { modelsIcon } from './icons';
import { Live } from './live';
import { CommandIDs } from './tokens';
import { FleetWidget } from './widgets/FleetWidget';
import { modelTab, ModelWidget } from './widgets/ModelWidget';

export interface IParts {
  readonly app: JupyterFrontEnd;
  readonly shell: ILabShell;
  readonly palette: ICommandPalette | null;
  readonly restorer: ILayoutRestorer | null;
  readonly translator: ITranslator | null;
}

/** Puts the panel, the pages and the commands in place. */
export function start({ app, shell, palette, restorer, translator }: IParts): void {
  const { commands, serviceManager } = app;
  const settings = serviceManager.serverSettings;
  const trans = (translator ?? nullTranslator).load('modelops_jupyter');
  const pages = new WidgetTracker<MainAreaWidget<ModelWidget>>({ namespace: 'modelops-models' });

  const all = fleet(settings);
  const models = new Live(() => all.read(), 'modelops:models');
  const panel = new FleetWidget(models, trans, name => void commands.execute(CommandIDs.openModel, { name }));
  shell.add(panel, 'left', { rank: 350, type: 'Models' });
  restorer?.add(panel, 'modelops-models');

  const open = (name: string): void => {
    let tab = pages.find(widget => widget.content.name === name);
    if (!tab) {
      const resource = overview(settings, name);
      const live = new Live(() => resource.read(), `modelops:model/${name}`);
      tab = modelTab(new ModelWidget(name, live, trans), trans);
      void pages.add(tab);
      shell.add(tab, 'main', { type: 'Model' });
    }
    shell.activateById(tab.id);
  };
  shell.currentChanged.connect(() => {
    const front = shell.currentWidget;
    panel.current = pages.find(tab => tab === front)?.content.name ?? null;
  });

  commands.addCommand(CommandIDs.showModels, {
    label: trans.__('Show Models'),
    caption: trans.__("Show the team's models, their health and open alerts"),
    icon: modelsIcon,
    describedBy: { args: { type: 'object', properties: {}, additionalProperties: false } },
    execute: () => shell.activateById(panel.id)
  });
  commands.addCommand(CommandIDs.openModel, {
    label: args => (typeof args['name'] === 'string' ? trans.__('Open Model %1', args['name']) : trans.__('Open Model')),
    caption: trans.__("Open a model's page: performance, alerts, versions and history"),
    icon: modelsIcon,
    describedBy: {
      args: {
        type: 'object',
        properties: { name: { type: 'string', description: trans.__('The name of the model') } },
        required: ['name'],
        additionalProperties: false
      }
    },
    isEnabled: args => typeof args['name'] === 'string',
    execute: args => {
      if (typeof args['name'] === 'string') {
        open(args['name']);
      }
    }
  });
  commands.addCommand(CommandIDs.refresh, {
    label: trans.__('Refresh Models'),
    caption: trans.__('Read the models from the workspace again'),
    icon: refreshIcon,
    describedBy: { args: { type: 'object', properties: {}, additionalProperties: false } },
    execute: () => {
      models.refresh();
      pages.forEach(tab => tab.content.refresh());
    }
  });
  for (const command of [CommandIDs.showModels, CommandIDs.refresh]) {
    palette?.addItem({ command, category: 'ModelOps' });
  }
  void restorer?.restore(pages, {
    command: CommandIDs.openModel,
    args: tab => ({ name: tab.content.name }),
    name: tab => tab.content.name
  });
}
