import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { IGate } from '../tokens';
import { HealthIcon } from './Health';
import { Prose } from './Prose';
import { SourceFiles } from './SourceFiles';

/** The policy's answer: open or closed, and every check that made it so. */
export function GateView({ gate, trans }: { gate: IGate; trans: TranslationBundle }): JSX.Element {
  const target = `${gate.model}/${gate.version}`;
  return (
    <div className="jp-ModelOpsGate" role="group" aria-label={trans.__('Gate report')}>
      <p className="jp-ModelOpsGate-answer">
        <HealthIcon health={gate.passed ? 'healthy' : 'alert'} />
        {gate.passed
          ? trans.__('The gate is open: %1 may become %2.', target, gate.alias)
          : trans.__('The gate is closed: %1 may not become %2 yet.', target, gate.alias)}
      </p>
      <ul>
        {gate.checks.map(check => (
          <li key={check.name}>
            <HealthIcon health={!check.passed ? 'alert' : check.applies ? 'healthy' : 'not judged'} />
            <span className="jp-ModelOpsGate-word">
              {!check.passed ? trans.__('failed') : check.applies ? trans.__('passed') : trans.__('does not apply')}
            </span>
            <Prose text={check.message} />
          </li>
        ))}
      </ul>
      <SourceFiles files={gate.project_code} trans={trans} />
      <p className="jp-ModelOpsPage-quiet">
        {gate.approved_by.length > 0 && trans.__('Approved by %1. ', gate.approved_by.join(', '))}
        {gate.self_review && trans.__('The approval is a self-review. ')}
        {trans.__('Policy: %1.', gate.policy)}
      </p>
    </div>
  );
}
