import type { JupyterFrontEnd } from '@jupyterlab/application';
import { PageConfig, URLExt } from '@jupyterlab/coreutils';
import { TabPanel, type Widget } from '@lumino/widgets';

// What the page was opened with: JupyterLab may rewrite the address while it starts.
const ADDRESS = location.search;

/** What the browser's address says under a name. */
export function asked(name: string): string | null {
  return new URLSearchParams(ADDRESS).get(name);
}

/** The address at which the page of something is opened. */
export function address(app: JupyterFrontEnd, name: string, value: string): string {
  const base = URLExt.join(PageConfig.getBaseUrl(), isNotebook(app) ? 'tree' : 'lab');
  return `${new URL(base, location.origin).href}?${name}=${encodeURIComponent(value)}`;
}

/** Whether a widget can have a place of its own on this page: in Notebook 7 only beside its files. */
export function hasPlace(app: JupyterFrontEnd): boolean {
  return !isNotebook(app) || tree(app) !== null;
}

/** Gives a widget a tab of its own. */
export function place(app: JupyterFrontEnd, widget: Widget, type: string): void {
  if (isNotebook(app)) {
    tree(app)?.addWidget(widget);
  } else {
    app.shell.add(widget, 'main', { type });
  }
}

/** Brings a placed widget to the front. */
export function bringForward(app: JupyterFrontEnd, widget: Widget): void {
  const tabs = isNotebook(app) ? tree(app) : null;
  if (tabs) {
    tabs.currentWidget = widget;
  } else {
    app.shell.activateById(widget.id);
  }
}

/** The widget in front. */
export function inFront(app: JupyterFrontEnd): Widget | null {
  const front = app.shell.currentWidget;
  return front instanceof TabPanel ? front.currentWidget : front;
}

/** Whether this is Notebook 7, whose pages hold one document each. */
function isNotebook(app: JupyterFrontEnd): boolean {
  return app.name === 'Jupyter Notebook';
}

/** In Notebook 7, the panel of tabs that the page of its files is. */
function tree(app: JupyterFrontEnd): TabPanel | null {
  const front = app.shell.currentWidget;
  return front instanceof TabPanel ? front : null;
}
