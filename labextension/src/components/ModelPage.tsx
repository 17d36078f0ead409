import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { Client } from '../api';
import type { Action, IIncident, IOverview, TabName } from '../tokens';
import { modelCode } from '../code';
import { CodeHandle } from './CodeHandle';
import { HealthLabel } from './Health';
import type { IncidentAction } from './Incidents';
import { Failed, Loading } from './Notice';
import type { IFiles, ITab } from './page';
import { Tabs } from './Tabs';
import { Audit } from './tabs/Audit';
import { Compare } from './tabs/Compare';
import { Governance } from './tabs/Governance';
import { Monitoring } from './tabs/Monitoring';
import { Overview } from './tabs/Overview';
import { Runs } from './tabs/Runs';
import { Versions } from './tabs/Versions';

interface IModelPageProps {
  readonly page: IOverview | undefined;
  readonly error: Error | undefined;
  readonly busy: boolean;
  readonly readAt: Date | undefined;
  readonly tab: TabName;
  readonly client: Client;
  readonly trans: TranslationBundle;
  readonly retry: () => void;
  readonly show: (tab: TabName) => void;
  readonly act: (action: Action, version?: number) => void;
  readonly handle: (action: IncidentAction, incident: IIncident) => Promise<boolean>;
  readonly files: IFiles;
}

const VIEWS: Readonly<Record<TabName, (tab: ITab) => JSX.Element>> = {
  overview: Overview,
  versions: Versions,
  compare: Compare,
  monitoring: Monitoring,
  governance: Governance,
  runs: Runs,
  audit: Audit
};

/** One model: how it is, how it did, what happened to it. */
export function ModelPage(props: IModelPageProps): JSX.Element {
  const { page, error, busy, tab, client, trans, retry, show, act, handle, files } = props;
  const View = VIEWS[tab];
  return (
    <>
      {error && <Failed error={error} busy={busy} stale={!!page} readAt={props.readAt} trans={trans} retry={retry} />}
      {!page && !error && <Loading trans={trans} />}
      {page && (
        <article>
          <header className="jp-ModelOpsPage-header">
            <h1>{page.summary.name}</h1>
            <HealthLabel health={page.summary.health} trans={trans} />
            <CodeHandle
              label={page.summary.name}
              code={modelCode(page.summary.name, page.summary.champion)}
              trans={trans}
            />
            {page.description && <p>{page.description}</p>}
          </header>
          <Tabs label={trans.__('Parts of the page')} selected={tab} trans={trans} select={show}>
            <View page={page} client={client} trans={trans} act={act} handle={handle} show={show} files={files} />
          </Tabs>
        </article>
      )}
    </>
  );
}
