import { HTMLSelect } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import { capital } from '../../format';
import { AUDIT_KINDS, type AuditKind, type IAuditEntry, type IAuditVerification } from '../../tokens';
import { useAnswer } from '../../useAnswer';
import { ActButton } from '../ActButton';
import { HealthIcon } from '../Health';
import { Failed, Loading } from '../Notice';
import type { ITab } from '../page';
import { AuditTable } from '../tables';

const MOST = 200;

/** The audit trail of the model or of all, by kind; runs of the monitor are folded away. The whole chain is recomputed. */
export function Audit({ page, client, trans }: ITab): JSX.Element {
  const { name } = page.summary;
  const [every, setEvery] = React.useState(false);
  const [kind, setKind] = React.useState<AuditKind | ''>('');
  const [runs, setRuns] = React.useState(false);
  const [asked, setAsked] = React.useState(0);
  // What the page has is not asked for again.
  const own = every || (kind !== '' && kind !== 'decision' && kind !== 'monitor') ? null : ownEntries(page, kind);
  const query = { ...(every ? {} : { name }), ...(kind ? { kind } : {}), limit: String(MOST) };
  const trail = useAnswer(own ? null : () => client.get<{ rows: readonly IAuditEntry[] }>('audit', query), [every, kind, page]);
  const chain = useAnswer(asked > 0 ? () => client.get<IAuditVerification>('verify-audit') : null, [asked]);
  const rows = own ?? trail.data?.rows ?? [];
  const folded = kind === '' && !every && page.monitored > 0;
  return (
    <>
      <div className="jp-ModelOpsPage-choice">
        <label>
          {trans.__('Model')}
          <HTMLSelect value={every ? 'every' : 'own'} onChange={event => setEvery(event.currentTarget.value === 'every')}>
            <option value="own">{name}</option>
            <option value="every">{trans.__('every model')}</option>
          </HTMLSelect>
        </label>
        <label>
          {trans.__('Kind')}
          <HTMLSelect value={kind} onChange={event => setKind(event.currentTarget.value as AuditKind | '')}>
            <option value="">{trans.__('every kind')}</option>
            {AUDIT_KINDS.map(one => (
              <option key={one} value={one}>
                {kindWord(one, trans)}
              </option>
            ))}
          </HTMLSelect>
        </label>
      </div>
      {trail.error && <Failed error={trail.error} busy={trail.busy} stale={false} trans={trans} retry={trail.again} />}
      {!own && trail.busy && !trail.data ? (
        <Loading trans={trans} />
      ) : (
        <AuditTable key={`${every} ${kind}`} title={trans.__('Audit trail')} rows={rows} trans={trans} />
      )}
      {folded && (
        <button type="button" className="jp-ModelOpsLink" aria-expanded={runs} onClick={() => setRuns(!runs)}>
          {trans._n('%1 run of the monitor', '%1 runs of the monitor', page.monitored)}
        </button>
      )}
      {folded && runs && <AuditTable title={capital(kindWord('monitor', trans))} rows={page.monitor_runs} trans={trans} />}
      <div className="jp-ModelOpsActions">
        <ActButton disabled={chain.busy} on={() => setAsked(asked + 1)}>
          {chain.busy ? trans.__('Recomputing…') : trans.__('Verify the chain')}
        </ActButton>
        <span role="status" className="jp-ModelOpsHealth">
          {chain.data && <HealthIcon health={chain.data.ok ? 'healthy' : 'alert'} />}
          {chain.data &&
            (chain.data.ok
              ? trans._n('The chain is whole: %1 entry.', 'The chain is whole: %1 entries.', chain.data.entries)
              : trans.__('The chain is broken at entry %1: %2', String(chain.data.first_bad), chain.data.reason ?? ''))}
        </span>
      </div>
      {chain.error && <Failed error={chain.error} busy={chain.busy} stale={false} trans={trans} retry={chain.again} />}
    </>
  );
}

function ownEntries(page: ITab['page'], kind: AuditKind | ''): readonly IAuditEntry[] {
  return kind === 'decision' ? page.decisions : kind === 'monitor' ? page.monitor_runs : page.audit;
}

function kindWord(kind: AuditKind, trans: TranslationBundle): string {
  switch (kind) {
    case 'decision':
      return trans.__('approvals, rejections, comments');
    case 'move':
      return trans.__('promotions and rollbacks');
    case 'version':
      return trans.__('registrations and evaluations');
    case 'incident':
      return trans.__('incidents and alerts');
    case 'monitor':
      return trans.__('runs of the monitor');
    case 'run':
      return trans.__('runs of pipelines');
    case 'other':
      return trans.__('other');
  }
}
