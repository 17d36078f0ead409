import React from 'react';
import type { IAuditVerification } from '../../tokens';
import { useAnswer } from '../../useAnswer';
import { ActButton } from '../ActButton';
import { HealthIcon } from '../Health';
import { Failed } from '../Notice';
import type { ITab } from '../page';
import { AuditTable } from '../tables';

/** The model's entries of the audit trail, and a recomputation of the whole chain. */
export function Audit({ page, client, trans }: ITab): JSX.Element {
  const [asked, setAsked] = React.useState(0);
  const chain = useAnswer(asked > 0 ? () => client.get<IAuditVerification>('verify-audit') : null, [asked]);
  return (
    <>
      <AuditTable rows={page.audit} trans={trans} />
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
