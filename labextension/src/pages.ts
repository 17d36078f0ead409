import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Clipboard, type MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Client } from './api';
import { Live } from './live';
import { address, asked, bringForward, hasPlace, inFront, place } from './place';
import type { TabName } from './tokens';
import { type IActs, modelTab, ModelWidget } from './widgets/ModelWidget';

const PARAMETER = 'modelops';

/** The models' pages that are open. */
export class Pages {
  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly client: Client,
    private readonly trans: TranslationBundle,
    private readonly acts: IActs
  ) {}

  readonly tracker = new WidgetTracker<MainAreaWidget<ModelWidget>>({ namespace: 'modelops-models' });

  /** The page in front, if one is. */
  get current(): ModelWidget | null {
    const front = inFront(this.app);
    return this.tracker.find(tab => tab === front)?.content ?? null;
  }

  /** Opens a model's page, or brings it to the front. */
  open(name: string, part?: TabName): void {
    let tab = this.tracker.find(widget => widget.content.name === name);
    if (!tab && !hasPlace(this.app)) {
      window.open(this.address(name), '_blank', 'noopener');
      return;
    }
    if (!tab) {
      tab = this.make(name);
      place(this.app, tab, 'Model');
    }
    if (part) {
      tab.content.tab = part;
    }
    bringForward(this.app, tab);
  }

  /** Asks the server again for every open page. */
  refresh(): void {
    this.tracker.forEach(tab => tab.content.refresh());
  }

  /** The address that opens a model's page. */
  address(name: string): string {
    return address(this.app, PARAMETER, name);
  }

  /** Opens the page that the browser's address asks for. */
  openFromAddress(): void {
    const name = asked(PARAMETER);
    if (name && hasPlace(this.app)) {
      this.open(name);
    }
  }

  private make(name: string): MainAreaWidget<ModelWidget> {
    const resource = this.client.overview(name);
    const live = new Live(() => resource.read(), `modelops:model/${name}`);
    const content = new ModelWidget(name, live, this.client, this.trans, this.acts);
    const tab = modelTab(content, this.trans, () => Clipboard.copyToSystem(this.address(name)));
    content.tabChanged.connect(() => void this.tracker.save(tab));
    void this.tracker.add(tab);
    return tab;
  }
}
