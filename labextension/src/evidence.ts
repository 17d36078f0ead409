/** A version's metrics as measured or claimed; the same as `modelops_jupyter.governance.recorded`. */

import type { IVersion } from './tokens';

const ORDER = [
  'roc_auc',
  'accuracy',
  'balanced_accuracy',
  'f1',
  'precision',
  'recall',
  'average_precision',
  'brier_score',
  'log_loss',
  'r2',
  'mean_absolute_error',
  'root_mean_squared_error',
  'mean_squared_error'
];
const CLEARLY = 0.01;

type Evidence = Pick<IVersion, 'metrics' | 'claimed' | 'measured' | 'outcomes_fingerprint'>;

/** One metric of a version; `claim` is what was claimed of a measured one, where that clearly differs. */
export interface IRecorded {
  readonly name: string;
  readonly value: number;
  readonly measured: boolean;
  readonly claim: number | null;
}

/** The metrics on record, those first that are looked at first. */
export function recorded(version: Evidence): readonly IRecorded[] {
  return inOrder(Object.keys(version.metrics)).map(name => metricOf(version, name)!);
}

/** One metric on record, or undefined. */
export function metricOf(version: Evidence, name: string): IRecorded | undefined {
  const value = version.metrics[name];
  if (value === undefined) {
    return undefined;
  }
  const measured = version.measured?.metrics[name] !== undefined;
  const claimed = version.claimed?.[name];
  const differs = measured && claimed !== undefined && Math.abs(claimed - value) > CLEARLY * Math.max(Math.abs(value), CLEARLY);
  return { name, value, measured, claim: differs ? claimed : null };
}

/** Metrics' names, those first that are looked at first. */
export function inOrder(names: readonly string[]): readonly string[] {
  const place = (name: string): number => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
  return [...names].sort((a, b) => place(a) - place(b) || (a < b ? -1 : 1));
}

/** Whether a metric of two versions is of the same rows, as far as is on record: of rows with the same labels. */
export function sameRows(a: Evidence, b: Evidence, name: string): boolean {
  const rows = rowsOf(a, name);
  return Boolean(rows) && rows === rowsOf(b, name);
}

/** The fingerprint of the rows that a metric is of, where it is on record. */
export function rowsOf(version: Evidence, name: string): string | null | undefined {
  return version.measured?.metrics[name] === undefined ? version.outcomes_fingerprint : version.measured.fingerprint;
}
