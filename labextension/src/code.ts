/** The Python that what is dragged into a notebook, or done with the mouse, leaves there. */

const OPEN = 'import modelops_jupyter as mo\n\nws = mo.open()\n';

/** A text as Python writes it. */
export function literal(text: string): string {
  return JSON.stringify(text).replace(/[\u007f-\uffff]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Loads a model's champion, or shows its versions to choose from where it has none. */
export function modelCode(name: string, champion: number | null): string {
  return `${OPEN}${champion === null ? `ws.versions(${literal(name)})` : `model = ws.load(${literal(`${name}@champion`)})`}`;
}

/** Loads one version. */
export function versionCode(name: string, version: number): string {
  return `${OPEN}model = ws.load(${literal(`${name}/${version}`)})`;
}

/** Shows a model's alerts of one column and metric, window by window. */
export function alertCode({ model, column, metric }: IAlertKey): string {
  const same = `(alerts["column"] == ${literal(column)}) & (alerts["metric"] == ${literal(metric)})`;
  return `${OPEN}alerts = ws.alerts(${literal(model)}).to_frame()\nalerts[${same}]`;
}

/** Shows an incident. */
export function incidentCode(id: string): string {
  return `${OPEN}ws.incident(${literal(id)})`;
}

/** What an alert is about. */
export interface IAlertKey {
  readonly model: string;
  readonly column: string;
  readonly metric: string;
}

/** What `%modelops register` is told. */
export interface IRegistration {
  readonly model: string;
  readonly name: string;
  readonly data: string;
  readonly target: string;
  readonly validated: string;
  readonly outcomes: string;
  readonly kind: string;
  readonly description: string;
}

/** The cell that registers a model; it loads the magic first where the notebook has not. */
export function registerCode(asked: IRegistration, magic: boolean): string {
  const words = ['%modelops register', asked.model, quote(asked.name)];
  const options: readonly (readonly [string, string])[] = [
    ['--data', asked.data],
    ['--target', asked.target],
    ['--validated-on', asked.validated],
    ['--outcomes', asked.validated === '' ? '' : asked.outcomes],
    ['--kind', asked.kind === 'ml' ? '' : asked.kind],
    ['--description', asked.description.trim().replace(/\s+/g, ' ')]
  ];
  for (const [flag, value] of options) {
    if (value !== '') {
      words.push(flag, quote(value));
    }
  }
  return `${magic ? '' : '%load_ext modelops_jupyter\n'}${words.join(' ')}`;
}

/** A word as a shell reads it back: in single quotes where it is more than a plain one. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) && !word.startsWith('-') ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}
