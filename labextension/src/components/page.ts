import type { TranslationBundle } from '@jupyterlab/translation';
import type { Client } from '../api';
import type { Action, IOverview, TabName } from '../tokens';

/** What every tab of a model's page has at hand. */
export interface ITab {
  readonly page: IOverview;
  readonly client: Client;
  readonly trans: TranslationBundle;
  /** Opens the dialog of an action; `version` is what it is about. */
  readonly act: (action: Action, version?: number) => void;
  readonly show: (tab: TabName) => void;
}
