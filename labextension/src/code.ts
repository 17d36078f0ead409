/** The Python that what is dragged into a notebook, or done with the mouse, leaves there. */

const OPEN = 'import modelops_jupyter as mo\n\nws = mo.open()\n';

/** A text as Python writes it. */
export function literal(text: string): string {
  return JSON.stringify(text).replace(/[\u007f-\uffff]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Loads a model's champion, or its newest version where it has none. */
export function modelCode(name: string, champion: number | null): string {
  return `${OPEN}model = ws.load(${literal(champion === null ? name : `${name}@champion`)})`;
}

/** Loads one version. */
export function versionCode(name: string, version: number): string {
  return `${OPEN}model = ws.load(${literal(`${name}/${version}`)})`;
}

/** Shows a model's alerts. */
export function alertCode(model: string): string {
  return `${OPEN}ws.alerts(${literal(model)}, state="open")`;
}
