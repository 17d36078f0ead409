import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Clipboard, type MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { PageConfig, URLExt } from '@jupyterlab/coreutils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { TabPanel } from '@lumino/widgets';
import type { Client } from './api';
import { Live } from './live';
import type { Action, TabName } from './tokens';
import { modelTab, ModelWidget } from './widgets/ModelWidget';

const PARAMETER = 'modelops';

/** The models' pages that are open. */
export class Pages {
  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly client: Client,
    private readonly trans: TranslationBundle,
    private readonly act: (action: Action, page: ModelWidget, version?: number) => void
  ) {}

  readonly tracker = new WidgetTracker<MainAreaWidget<ModelWidget>>({ namespace: 'modelops-models' });

  /** The page in front, if one is. */
  get current(): ModelWidget | null {
    const front = this.app.shell.currentWidget;
    const shown = front instanceof TabPanel ? front.currentWidget : front;
    return this.tracker.find(tab => tab === shown)?.content ?? null;
  }

  /** Opens a model's page, or brings it to the front. */
  open(name: string, part?: TabName): void {
    let tab = this.tracker.find(widget => widget.content.name === name);
    if (!tab) {
      const resource = this.client.overview(name);
      const live = new Live(() => resource.read(), `modelops:model/${name}`);
      const content = new ModelWidget(name, live, this.client, this.trans, this.act);
      tab = modelTab(content, this.trans, () => Clipboard.copyToSystem(this.address(name)));
      if (part) {
        content.tab = part;
      }
      const added = tab;
      content.tabChanged.connect(() => void this.tracker.save(added));
      void this.tracker.add(tab);
      this.show(tab);
    } else if (part) {
      tab.content.tab = part;
    }
    this.bringForward(tab);
  }

  /** Asks the server again for every open page. */
  refresh(): void {
    this.tracker.forEach(tab => tab.content.refresh());
  }

  /** The address that opens a model's page. */
  address(name: string): string {
    const base = URLExt.join(PageConfig.getBaseUrl(), notebookShell(this.app) ? 'tree' : 'lab');
    return `${URLExt.join(location.origin, new URL(base, location.origin).pathname)}?${PARAMETER}=${encodeURIComponent(name)}`;
  }

  /** Opens the page that the browser's address asks for. */
  openFromAddress(): void {
    const name = new URLSearchParams(ADDRESS).get(PARAMETER);
    if (name && !(notebookShell(this.app) && !this.tree)) {
      this.open(name);
    }
  }

  /** In Notebook 7, the panel of tabs that its file page is. */
  private get tree(): TabPanel | null {
    const front = this.app.shell.currentWidget;
    return front instanceof TabPanel ? front : null;
  }

  private show(tab: MainAreaWidget<ModelWidget>): void {
    if (!notebookShell(this.app)) {
      this.app.shell.add(tab, 'main', { type: 'Model' });
    } else if (this.tree) {
      this.tree.addWidget(tab);
    } else {
      window.open(this.address(tab.content.name), '_blank', 'noopener'); // a notebook's page has room for nothing else
      tab.dispose();
    }
  }

  private bringForward(tab: MainAreaWidget<ModelWidget>): void {
    if (tab.isDisposed) {
      return;
    }
    if (notebookShell(this.app) && this.tree) {
      this.tree.currentWidget = tab;
    } else {
      this.app.shell.activateById(tab.id);
    }
  }
}

// What the page was opened with: JupyterLab may rewrite the address while it starts.
const ADDRESS = location.search;

/** Whether this is Notebook 7, whose pages hold one document each. */
function notebookShell(app: JupyterFrontEnd): boolean {
  return app.name === 'Jupyter Notebook';
}
