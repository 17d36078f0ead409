import type { Health, IModelSummary } from './tokens';

/** Worst first: what needs somebody comes to the top. */
export const HEALTHS: readonly Health[] = ['alert', 'warning', 'healthy', 'unknown'];

/** Which models the list shows: words of the search, and what was picked. */
export interface IChoice {
  readonly query: string;
  readonly health: Health | null;
  readonly kind: string | null;
  readonly alerting: boolean;
}

export const EVERYTHING: IChoice = { query: '', health: null, kind: null, alerting: false };

/** How many models there are of each health, with open alerts, and of each kind. */
export interface ICensus {
  readonly health: Readonly<Record<Health, number>>;
  readonly alerting: number;
  readonly kinds: ReadonlyMap<string, number>;
}

export function census(models: readonly IModelSummary[]): ICensus {
  const health: Record<Health, number> = { alert: 0, warning: 0, healthy: 0, unknown: 0 };
  const kinds = new Map<string, number>();
  let alerting = 0;
  for (const model of models) {
    health[model.health] += 1;
    kinds.set(model.kind, (kinds.get(model.kind) ?? 0) + 1);
    alerting += model.open_alerts > 0 ? 1 : 0;
  }
  return { health, alerting, kinds };
}

/** Models whose name or kind holds every word of the query and that are what was picked: worst first, then by name. */
export function choose(models: readonly IModelSummary[], choice: IChoice): readonly IModelSummary[] {
  const words = choice.query.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  const fits = (model: IModelSummary): boolean => {
    const text = `${model.name} ${model.kind}`.toLocaleLowerCase();
    return (
      (choice.health === null || model.health === choice.health) &&
      (choice.kind === null || model.kind === choice.kind) &&
      (!choice.alerting || model.open_alerts > 0) &&
      words.every(word => text.includes(word))
    );
  };
  const rank = (model: IModelSummary): number => HEALTHS.indexOf(model.health);
  return models.filter(fits).sort((a, b) => rank(a) - rank(b) || NAMES.compare(a.name, b.name));
}

const NAMES = new Intl.Collator('en', { numeric: true });
