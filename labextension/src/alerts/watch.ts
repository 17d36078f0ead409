import type { IFleet, IIncident } from '../tokens';

/** How many alerts are open, and in how many models. */
export function openAlerts(fleet: IFleet | undefined): { readonly alerts: number; readonly models: number } {
  const rows = (fleet?.rows ?? []).filter(row => row.open_alerts > 0);
  return { alerts: rows.reduce((sum, row) => sum + row.open_alerts, 0), models: rows.length };
}

/** Which incidents nobody was told of; `seen` is null the first time anybody looks, and then none is news. */
export function news(incidents: readonly IIncident[], seen: readonly string[] | null): readonly IIncident[] {
  return seen === null ? [] : incidents.filter(one => !seen.includes(one.id));
}
