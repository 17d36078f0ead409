import { Token } from '@lumino/coreutils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Client } from './api';
import type { Live } from './live';

/** What the server's routes answer; the same names as in Python. */

export type Health = 'not judged' | 'healthy' | 'warning' | 'alert';

export interface IModelSummary {
  readonly name: string;
  readonly kind: string;
  readonly champion: number | null;
  readonly versions: number;
  readonly health: Health;
  readonly open_alerts: number;
  /** The last day that was monitored, or the last minute. */
  readonly data_through: string | null;
  /** What is not judged, and why, a sentence each. */
  readonly remarks: readonly string[];
  readonly metric: string | null;
  readonly sparkline: readonly (number | null)[];
  readonly owner: string | null;
  readonly risk_tier: string | null;
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
  /** The 95 % interval of `value`. */
  readonly low: number | null;
  readonly high: number | null;
  /** What `value` was expected to be before outcomes arrived. */
  readonly estimated: number | null;
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

/** Metrics that modelops measured itself: on which rows, when, and by what. */
export interface IMeasured {
  readonly metrics: Readonly<Record<string, number>>;
  readonly rows: number;
  readonly fingerprint: string | null;
  readonly at: string;
  readonly by: string;
}

export interface IVersion {
  readonly name: string;
  readonly version: number;
  readonly aliases: string;
  readonly task: string | null;
  readonly run_id: string | null;
  readonly inputs: readonly string[];
  readonly features: readonly string[];
  readonly source: Readonly<Record<string, string | null>>;
  readonly data_fingerprint: string | null;
  /** Of the outcomes it was validated on: the same ones are the same rows. Versions of old do not have it. */
  readonly outcomes_fingerprint?: string | null;
  readonly digest: string;
  readonly flavor: string;
  /** What counts: a measured metric takes the place of a claimed one. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly claimed?: Readonly<Record<string, number>>;
  readonly measured?: IMeasured | null;
  /** Why nothing, or not everything, was measured. */
  readonly measured_reason?: string | null;
  /** The metrics on one line, as measured or claimed. */
  readonly evaluation: string;
  readonly unsafe: boolean;
  /** Functions of the project that it calls, whose source is kept with it. */
  readonly calls: string;
  readonly created_by: string;
  readonly created_at: string;
}

export interface IAlert {
  readonly model: string;
  /** The role of the predictions: served, shadow or canary. */
  readonly role: string;
  readonly version: number;
  readonly segment: string;
  readonly kind: string;
  readonly column: string;
  readonly metric: string;
  readonly figure: number;
  readonly threshold: number;
  readonly window_start: string;
  readonly state: string;
  readonly message: string;
  /** By whom, until when and why it is muted or accepted; empty where it is neither. */
  readonly suppressed: string;
}

/** A case of alerts of one cause. */
export interface IIncident {
  readonly id: string;
  readonly model: string;
  readonly title: string;
  readonly state: string;
  readonly owner: string | null;
  readonly first_window: string;
  readonly last_window: string;
  readonly alerts: number;
  readonly suspects: readonly string[];
  /** By whom, until when and why it is muted or accepted; empty where it is neither. */
  readonly suppressed: string;
  /** What takes that back. */
  readonly revocable: { readonly subject: string; readonly column?: string; readonly sign?: string } | null;
}

/** The kinds of entries of the audit trail. */
export const AUDIT_KINDS = ['decision', 'move', 'version', 'incident', 'monitor', 'run', 'other'] as const;
export type AuditKind = (typeof AUDIT_KINDS)[number];

export interface IAuditEntry {
  readonly sequence: number;
  readonly at: string;
  readonly action: string;
  readonly kind: AuditKind;
  readonly subject: string;
  readonly actor: string;
  readonly assurance: string;
  /** The reason that was given, or what was put on record. */
  readonly detail: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly hash: string;
}

/** How far each column is from the reference (PSI less what chance brings), window by window; those first that most was found of. */
export interface IDriftMap {
  readonly starts: readonly string[];
  readonly columns: readonly string[];
  readonly values: Readonly<Record<string, readonly (number | null)[]>>;
  /** Whether the monitor found drift there, by the thresholds that it learned. */
  readonly found: Readonly<Record<string, readonly boolean[]>>;
}

export interface IDistribution {
  readonly column: string;
  readonly bins: readonly string[];
  readonly reference: readonly number[];
  readonly current: readonly number[];
  readonly since: string;
  readonly until: string;
}

export interface ICheck {
  readonly name: string;
  readonly passed: boolean;
  readonly applies: boolean;
  readonly message: string;
  /** Where the metric that was judged comes from: "measured" or "claimed"; null for other checks. */
  readonly source?: string | null;
}

/** What the policy says about moving a version to an alias. */
export interface IGate {
  readonly model: string;
  readonly version: number;
  readonly alias: string;
  readonly passed: boolean;
  readonly checks: readonly ICheck[];
  readonly approved_by: readonly string[];
  readonly self_review: boolean;
  readonly assurance: string;
  readonly policy: string;
  /** The text of each file of the project that the version runs, by the file's path in the version. */
  readonly project_code: Readonly<Record<string, string>>;
}

export interface IAuditVerification {
  readonly ok: boolean;
  readonly entries: number;
  readonly first_bad: number | null;
  readonly reason: string | null;
}

/** One step of a pipeline's run; `output_path` is null where the file browser does not show its notebook. */
export interface IStep {
  readonly step: string;
  readonly state: string;
  readonly seconds: number;
  readonly output: string;
  readonly output_path: string | null;
}

/** One run of a pipeline, and the versions that it made. */
export interface IPipelineRun {
  readonly run_id: string;
  readonly pipeline: string;
  readonly state: string;
  readonly started_at: string;
  readonly seconds: number;
  readonly made: string;
  readonly steps: readonly IStep[];
}

/** One metric of two versions on the same rows, with an interval of the difference; segment "" is all of them. */
export interface IMetricComparison {
  readonly metric: string;
  readonly segment: string;
  readonly rows: number;
  readonly a: number | null;
  readonly b: number | null;
  readonly difference: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly better: string;
  readonly reason: string | null;
}

export interface IComparison {
  readonly a: string;
  readonly b: string;
  readonly rows: number;
  readonly metrics: readonly IMetricComparison[];
  readonly conclusion: string;
}

/** What a version predicted beside what was served, in one role. */
export interface ISeries {
  readonly version: number;
  readonly role: string;
  readonly windows: readonly IWindow[];
  /** What the metric was on the version's own reference. */
  readonly expected: number | null;
  readonly open_alerts: number;
}

export interface IOverview {
  readonly summary: IModelSummary;
  readonly description: string;
  readonly metric: string | null;
  readonly expected: Readonly<Record<string, number>>;
  readonly windows: readonly IWindow[];
  readonly drift: IDriftMap;
  readonly versions: readonly IVersion[];
  readonly transitions: readonly ITransition[];
  readonly alerts: readonly IAlert[];
  /** The newest entries, without the runs of the monitor. */
  readonly audit: readonly IAuditEntry[];
  /** All approvals, rejections and comments. */
  readonly decisions: readonly IAuditEntry[];
  /** The newest entries of runs of the monitor, of which there are so many. */
  readonly monitor_runs: readonly IAuditEntry[];
  readonly monitored: number;
  readonly beside: readonly ISeries[];
  /** Why no window has a figure though outcomes are known, as a sentence; empty otherwise. */
  readonly no_figures: string;
}

/** The tabs of a model's page. */
export const TABS = ['overview', 'versions', 'compare', 'monitoring', 'governance', 'runs', 'audit'] as const;
export type TabName = (typeof TABS)[number];

/** What somebody may do to a version, through a dialog. */
export type Action = 'approve' | 'reject' | 'comment' | 'promote' | 'rollback';

export namespace CommandIDs {
  export const showModels = 'modelops:show-models';
  export const openModel = 'modelops:open-model';
  export const refresh = 'modelops:refresh';
  export const copyLink = 'modelops:copy-link';
  export const approve = 'modelops:approve';
  export const reject = 'modelops:reject';
  export const comment = 'modelops:comment';
  export const promote = 'modelops:promote';
  export const rollback = 'modelops:rollback';
  export const newPipelineNotebook = 'modelops:new-pipeline-notebook';
  export const openDashboard = 'modelops:open-dashboard';
  export const registerModel = 'modelops:register-model';
  export const runNotebook = 'modelops:run-notebook';
}

/** What the plugins of this extension share. */
export interface IModelOps {
  readonly client: Client;
  readonly models: Live<IFleet>;
  readonly trans: TranslationBundle;
  /** Opens a model's page. */
  readonly open: (name: string, tab?: TabName) => void;
  /** Asks the server again for whatever is shown. */
  readonly refresh: () => void;
}

export const IModelOps = new Token<IModelOps>(
  'modelops-jupyter:IModelOps',
  "The workspace's models, the server's verbs, and the way to a model's page."
);
