/** Which tables of a notebook a model was most likely fitted on and validated on, and which labels belong to them. */

import type { ILiveModel, ILiveTable } from './kernel';

const TRAINING = /train|fit/i;
// The most telling first: metrics on rows that nothing was chosen on are the most honest ones.
const HELD_OUT = [/test/i, /hold/i, /eval/i, /val/i, /dev/i];
const LABELS = /^y|target|label|outcome/i;

/** The columns of a table that the model was not fitted on: one of them may hold the labels. */
export function otherColumns(model: ILiveModel | undefined, table: ILiveTable | undefined): readonly string[] {
  const features = new Set(model?.features ?? []);
  return features.size === 0 ? [] : (table?.columns ?? []).filter(name => !features.has(name));
}

/** The training rows: those with the model's columns; of several those whose name says so, then the most. */
export function likelyData(model: ILiveModel | undefined, tables: readonly ILiveTable[]): string {
  const fitting = withFeatures(model, tables);
  return best(fitting, table => [-fit(model, table), nameRank(table.name), -table.rows])?.name ?? '';
}

/** The validation rows: a table with the model's columns whose name says that it was held out. */
export function likelyValidation(model: ILiveModel | undefined, data: string, tables: readonly ILiveTable[]): string {
  const others = withFeatures(model, tables).filter(table => table.name !== data && heldOut(table.name) < HELD_OUT.length);
  return best(others, table => [heldOut(table.name), -fit(model, table), -table.rows])?.name ?? '';
}

/** What may hold the labels of a table: columns of its own, then single columns with as many rows. */
export function labelChoices(model: ILiveModel | undefined, name: string, tables: readonly ILiveTable[]): readonly string[] {
  const table = tables.find(one => one.name === name);
  const columns = otherColumns(model, table);
  const long = tables.filter(one => one.columns === null && one.rows === table?.rows).map(one => one.name);
  return [...columns, ...long.filter(one => !columns.includes(one))];
}

/** The labels that most likely belong to a table; none where nothing says so. */
export function likelyLabels(model: ILiveModel | undefined, name: string, tables: readonly ILiveTable[]): string {
  const choices = labelChoices(model, name, tables);
  const named = choices.filter(one => LABELS.test(one));
  const partner = named.find(one => ending(one) === ending(name));
  return partner ?? best(named, one => [Number(TRAINING.test(one) !== TRAINING.test(name))]) ?? (choices.length === 1 ? choices[0]! : '');
}

function withFeatures(model: ILiveModel | undefined, tables: readonly ILiveTable[]): readonly ILiveTable[] {
  return tables.filter(table => table.columns !== null && fit(model, table) > 0);
}

/** How well a table fits: 3 with the model's columns alone, 2 in another order, 1 with more, 0 if one is missing. */
function fit(model: ILiveModel | undefined, table: ILiveTable): number {
  const [features, columns] = [model?.features ?? [], table.columns ?? []];
  if (features.length === 0) {
    return columns.length === 0 ? 3 : 1; // a model that was fitted on an array knows no columns
  }
  if (!features.every(name => columns.includes(name))) {
    return 0;
  }
  return columns.length > features.length ? 1 : columns.join('\n') === features.join('\n') ? 3 : 2;
}

function nameRank(name: string): number {
  return TRAINING.test(name) ? 0 : heldOut(name) < HELD_OUT.length ? 2 : 1;
}

function heldOut(name: string): number {
  const place = TRAINING.test(name) ? -1 : HELD_OUT.findIndex(word => word.test(name));
  return place < 0 ? HELD_OUT.length : place;
}

/** What follows the first word or letter of a name: `X_test` and `y_test` share theirs. */
function ending(name: string): string {
  return name.replace(/^(x|y|df|data|features?|targets?|labels?|outcomes?)(?=_|\d|$)_?/i, '').toLowerCase();
}

function best<T>(items: readonly T[], rank: (item: T) => readonly number[]): T | undefined {
  return [...items].sort((a, b) => {
    const [left, right] = [rank(a), rank(b)];
    const n = left.findIndex((value, at) => value !== right[at]);
    return n < 0 ? 0 : left[n]! - right[n]!;
  })[0];
}
