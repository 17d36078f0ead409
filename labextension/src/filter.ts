import type { Health, IModelSummary } from './tokens';

/** Worst first: what needs somebody comes to the top. */
export const HEALTHS: readonly Health[] = ['alert', 'warning', 'healthy', 'unknown'];

/** How many models there are of each health. */
export function census(models: readonly IModelSummary[]): Readonly<Record<Health, number>> {
  const counts: Record<Health, number> = { alert: 0, warning: 0, healthy: 0, unknown: 0 };
  for (const model of models) {
    counts[model.health] += 1;
  }
  return counts;
}

/** Models whose name or kind holds every word of `query`, of one health if given: worst first, then by name. */
export function choose(
  models: readonly IModelSummary[],
  query: string,
  health: Health | null
): readonly IModelSummary[] {
  const words = query.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  const fits = (model: IModelSummary): boolean => {
    const text = `${model.name} ${model.kind}`.toLocaleLowerCase();
    return (health === null || model.health === health) && words.every(word => text.includes(word));
  };
  const rank = (model: IModelSummary): number => HEALTHS.indexOf(model.health);
  return models.filter(fits).sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name, 'en', { numeric: true }));
}
