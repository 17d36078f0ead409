import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStateDB } from '@jupyterlab/statedb';
import { IStatusBar } from '@jupyterlab/statusbar';
import { handle } from '../actions/IncidentDialog';
import { CommandIDs, type IIncident, type IModelOps } from '../tokens';
import { sentence } from '../format';
import { StatusItem } from './StatusItem';
import { news, openAlerts } from './watch';

const SETTINGS = 'modelops-jupyter:plugin';
const SEEN = 'modelops-jupyter:seen-incidents';
const AT_ONCE = 3;

/** Keeps an eye on alerts: a number in the status bar, and a notification for each new incident. */
export async function start(app: JupyterFrontEnd, modelops: IModelOps): Promise<void> {
  const { models, trans } = modelops;
  const statusBar = await app.resolveOptionalService(IStatusBar);
  const settings = await (await app.resolveOptionalService(ISettingRegistry))?.load(SETTINGS).catch(() => null);
  const on = (name: string): boolean => settings?.composite[name] !== false;
  const follow = (): void => {
    models.every = 1000 * (Number(settings?.composite['refreshSeconds']) || 30);
    models.watch(start, on('statusBar') || on('notifications'));
  };
  settings?.changed.connect(follow);
  follow();

  if (statusBar) {
    const item = new StatusItem(models, trans, () => void app.commands.execute(CommandIDs.showModels));
    statusBar.registerStatusItem('modelops-jupyter:alerts', {
      item,
      align: 'right',
      rank: 300,
      isActive: () => on('statusBar'),
      ...(settings ? { activeStateChanged: settings.changed } : {})
    });
  }
  const state = await app.resolveOptionalService(IStateDB);
  if (state) {
    const herald = new Herald(modelops, state);
    models.stateChanged.connect(() => {
      if (on('notifications')) {
        void herald.look();
      }
    });
  }
}

/** Tells of incidents that are new since anybody was told last, over reloads of the page too. */
class Herald {
  constructor(
    private readonly modelops: IModelOps,
    private readonly state: IStateDB
  ) {}

  /** Looks whether there is news, if the number of alerts has changed. */
  async look(): Promise<void> {
    const { models, client } = this.modelops;
    if (models.busy || models.data === undefined || models.data === this.looked) {
      return;
    }
    this.looked = models.data;
    const count = openAlerts(models.data).alerts;
    if (count === this.count) {
      return;
    }
    this.count = count;
    try {
      const { rows } = await client.get<{ rows: readonly IIncident[] }>('incidents', { state: 'open' });
      const seen = ((await this.state.fetch(SEEN)) as string[] | undefined) ?? null;
      await this.state.save(SEEN, [...rows.map(one => one.id)]);
      this.tell(news(rows, seen).filter(one => one.suppressed === ''));
    } catch {
      this.count = null; // the panel says what is wrong; this looks again with its next answer
    }
  }

  private tell(fresh: readonly IIncident[]): void {
    const { trans, open } = this.modelops;
    if (fresh.length > AT_ONCE) {
      const names = [...new Set(fresh.map(one => one.model))];
      Notification.warning(trans.__('%1 new incidents in %2.', String(fresh.length), names.slice(0, 5).join(', ')), {
        autoClose: false,
        actions: names.slice(0, 2).map(name => ({ label: trans.__('Open %1', name), callback: () => open(name, 'monitoring') }))
      });
      return;
    }
    for (const incident of fresh) {
      const told = Notification.warning(trans.__('%1: %2', incident.model, sentence(incident.title)), {
        autoClose: false,
        actions: [
          { label: trans.__('Open'), displayType: 'accent', callback: () => open(incident.model, 'monitoring') },
          {
            label: trans.__('Acknowledge…'),
            callback: event => {
              event.preventDefault(); // it stays until it is done
              void handle('acknowledge', incident, this.modelops).then(done => {
                if (done) {
                  Notification.dismiss(told);
                }
              });
            }
          }
        ]
      });
    }
  }

  private looked: unknown;
  private count: number | null = null;
}
