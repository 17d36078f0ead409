import type { Health, IModelSummary } from './tokens';

/** Worst first: what needs somebody comes to the top. */
export const HEALTHS: readonly Health[] = ['alert', 'warning', 'healthy', 'not judged'];

/** Which models the list shows: words of the search, and what was picked; null is any, "" is nobody or none. */
export interface IChoice {
  readonly query: string;
  readonly health: Health | null;
  readonly kind: string | null;
  readonly owner: string | null;
  readonly tier: string | null;
  readonly alerting: boolean;
}

export const EVERYTHING: IChoice = { query: '', health: null, kind: null, owner: null, tier: null, alerting: false };

/** How many models there are of each health, with open alerts, of each kind, owner and risk tier. */
export interface ICensus {
  readonly health: Readonly<Record<Health, number>>;
  readonly alerting: number;
  readonly kinds: ReadonlyMap<string, number>;
  readonly owners: ReadonlyMap<string, number>;
  readonly tiers: ReadonlyMap<string, number>;
}

export function census(models: readonly IModelSummary[]): ICensus {
  const health: Record<Health, number> = { alert: 0, warning: 0, healthy: 0, 'not judged': 0 };
  let alerting = 0;
  for (const model of models) {
    health[model.health] += 1;
    alerting += model.open_alerts > 0 ? 1 : 0;
  }
  return {
    health,
    alerting,
    kinds: count(models.map(model => model.kind)),
    owners: count(models.map(model => model.owner ?? '')),
    tiers: count(models.map(model => model.risk_tier ?? ''))
  };
}

/** How often each word is there: in order, nobody and nothing last. */
function count(words: readonly string[]): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  words.forEach(word => found.set(word, (found.get(word) ?? 0) + 1));
  return new Map([...found].sort(([a], [b]) => Number(a === '') - Number(b === '') || NAMES.compare(a, b)));
}

/** Models that hold every word of the query and that are what was picked: worst first, then by name. */
export function choose(models: readonly IModelSummary[], choice: IChoice): readonly IModelSummary[] {
  const words = choice.query.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  const fits = (model: IModelSummary): boolean => {
    const text = `${model.name} ${model.kind} ${model.owner ?? ''} ${model.risk_tier ?? ''}`.toLocaleLowerCase();
    return (
      (choice.health === null || model.health === choice.health) &&
      (choice.kind === null || model.kind === choice.kind) &&
      (choice.owner === null || (model.owner ?? '') === choice.owner) &&
      (choice.tier === null || (model.risk_tier ?? '') === choice.tier) &&
      (!choice.alerting || model.open_alerts > 0) &&
      words.every(word => text.includes(word))
    );
  };
  const rank = (model: IModelSummary): number => HEALTHS.indexOf(model.health);
  return models.filter(fits).sort((a, b) => rank(a) - rank(b) || NAMES.compare(a.name, b.name));
}

const NAMES = new Intl.Collator('en', { numeric: true });
