import { ILayoutRestorer, type JupyterFrontEnd } from '@jupyterlab/application';
import { ICommandPalette, MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { INotebookTracker } from '@jupyterlab/notebook';
import { runWithIcon } from '../icons';
import { address, asked, bringForward, hasPlace, place } from '../place';
import { CommandIDs, type IModelOps } from '../tokens';
import { RunModel } from './RunModel';
import { RunWidget } from './RunWidget';

const PARAMETER = 'modelops-run';

/** Adds "Run with parameters…" for any notebook: the file browser's, the notebook's own, the palette's. */
export async function start(app: JupyterFrontEnd, { client, trans }: IModelOps): Promise<void> {
  const notebooks = await app.resolveOptionalService(INotebookTracker);
  const browsers = await app.resolveOptionalService(IFileBrowserFactory);
  const palette = await app.resolveOptionalService(ICommandPalette);
  const restorer = await app.resolveOptionalService(ILayoutRestorer);
  const tracker = new WidgetTracker<MainAreaWidget<RunWidget>>({ namespace: 'modelops-runs' });
  const { commands, serviceManager } = app;

  const selected = (): string | undefined => {
    const item = browsers?.tracker.currentWidget?.selectedItems().next().value;
    return item?.type === 'notebook' ? (item.path as string) : undefined;
  };
  const open = (path: string, job?: string): void => {
    const local = serviceManager.contents.localPath(path);
    let tab = tracker.find(widget => widget.content.model.path === local);
    if (!tab && !hasPlace(app)) {
      window.open(address(app, PARAMETER, path), '_blank', 'noopener');
      return;
    }
    if (!tab) {
      const model = new RunModel(local, client, job);
      const content = new RunWidget(model, trans, output => void commands.execute('docmanager:open', { path: output }));
      tab = new MainAreaWidget({ content });
      tab.toolbar.hide(); // what can be done stands with what it is done to
      content.node.setAttribute('aria-label', content.title.caption);
      const added = tab;
      model.jobChanged.connect(() => void tracker.save(added));
      void tracker.add(tab);
      place(app, tab, 'Run');
    }
    bringForward(app, tab);
  };

  commands.addCommand(CommandIDs.runNotebook, {
    label: trans.__('Run with Parameters…'),
    caption: trans.__('Run this notebook with parameters of your choice, apart from its kernel'),
    icon: runWithIcon,
    describedBy: {
      args: {
        type: 'object',
        properties: {
          path: { type: 'string', description: trans.__('The notebook; without it the one in front') },
          job: { type: 'string', description: trans.__('A run that was started before') },
          selected: { type: 'boolean', description: trans.__('Take the one that is selected in the file browser') }
        },
        additionalProperties: false
      }
    },
    isVisible: args => !args['selected'] || selected() !== undefined,
    isEnabled: args => !!args['path'] || (args['selected'] ? selected() : notebooks?.currentWidget) !== null,
    execute: async args => {
      const panel = args['path'] || args['selected'] ? null : (notebooks?.currentWidget ?? null);
      const path = (args['path'] as string | undefined) ?? (args['selected'] ? selected() : panel?.context.path);
      if (panel?.context.model.dirty) {
        await panel.context.save(); // what is run is what is in the file
      }
      if (path) {
        open(path, args['job'] as string | undefined);
      }
    }
  });
  palette?.addItem({ command: CommandIDs.runNotebook, category: 'ModelOps' });
  void restorer?.restore(tracker, {
    command: CommandIDs.runNotebook,
    args: ({ content }) => ({
      path: content.model.path,
      ...(content.model.job ? { job: content.model.job.id } : {})
    }),
    name: ({ content }) => content.model.path
  });
  void app.restored.then(() => {
    const path = asked(PARAMETER);
    if (path && hasPlace(app)) {
      open(path);
    }
  });
}
