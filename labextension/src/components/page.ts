import type { TranslationBundle } from '@jupyterlab/translation';
import type { Client } from '../api';
import type { Action, IIncident, IOverview, TabName } from '../tokens';
import type { IncidentAction } from './Incidents';

/** What every tab of a model's page has at hand. */
export interface ITab {
  readonly page: IOverview;
  readonly client: Client;
  readonly trans: TranslationBundle;
  /** Opens the dialog of an action; `version` is what it is about. */
  readonly act: (action: Action, version?: number) => void;
  /** Opens the dialog that does something about an incident; answers whether that was done. */
  readonly handle: (action: IncidentAction, incident: IIncident) => Promise<boolean>;
  readonly show: (tab: TabName) => void;
  readonly files: IFiles;
}

/** The files that the file browser shows. */
export interface IFiles {
  readonly open: (path: string) => void;
  /** Asks for a table; null if none is picked. */
  readonly pickTable: () => Promise<string | null>;
}
