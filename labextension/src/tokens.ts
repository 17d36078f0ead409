/** What the server's routes answer; the same names as in Python. */

export type Health = 'unknown' | 'healthy' | 'warning' | 'alert';

export interface IModelSummary {
  readonly name: string;
  readonly kind: string;
  readonly champion: number | null;
  readonly versions: number;
  readonly health: Health;
  readonly open_alerts: number;
  readonly last_window: string | null;
  readonly metric: string | null;
  readonly sparkline: readonly (number | null)[];
}

export interface IFleet {
  readonly title: string;
  readonly rows: readonly IModelSummary[];
}

export interface IWindow {
  readonly start: string;
  readonly end: string;
  readonly rows: number;
  readonly labelled: number;
  readonly version: number | null;
  readonly value: number | null;
  readonly reason: string | null;
}

export interface ITransition {
  readonly at: string;
  readonly action: string;
  readonly alias: string;
  readonly from_version: number | null;
  readonly to_version: number;
  readonly reason: string;
  readonly actor: string;
}

export interface IVersion {
  readonly version: number;
  readonly aliases: string;
  readonly flavor: string;
  readonly metrics: Readonly<Record<string, number>>;
  readonly unsafe: boolean;
  readonly created_by: string;
  readonly created_at: string;
}

export interface IAlert {
  readonly kind: string;
  readonly column: string;
  readonly metric: string;
  readonly figure: number;
  readonly threshold: number;
  readonly window_start: string;
  readonly state: string;
  readonly message: string;
}

export interface IAuditEntry {
  readonly sequence: number;
  readonly at: string;
  readonly action: string;
  readonly subject: string;
  readonly actor: string;
  readonly assurance: string;
  readonly hash: string;
}

export interface IOverview {
  readonly summary: IModelSummary;
  readonly description: string;
  readonly metric: string | null;
  readonly expected: Readonly<Record<string, number>>;
  readonly windows: readonly IWindow[];
  readonly versions: readonly IVersion[];
  readonly transitions: readonly ITransition[];
  readonly alerts: readonly IAlert[];
  readonly audit: readonly IAuditEntry[];
}

export namespace CommandIDs {
  export const showModels = 'modelops:show-models';
  export const openModel = 'modelops:open-model';
  export const refresh = 'modelops:refresh';
}
