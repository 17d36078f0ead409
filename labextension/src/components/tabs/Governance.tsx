import React from 'react';
import { sentence } from '../../format';
import { useAnswer } from '../../useAnswer';
import { ActButton } from '../ActButton';
import { FactList, Section } from '../Facts';
import { GateView } from '../GateView';
import { Failed, Loading } from '../Notice';
import type { ITab } from '../page';
import { SourceFiles } from '../SourceFiles';
import { DecisionsTable, HistoryTable } from '../tables';
import { Pick } from './Compare';

interface ICard {
  readonly title: string;
  readonly sections: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly code: Readonly<Record<string, string>>;
}

/** What the policy says about a version, who decided what, every move, and the version's card. */
export function Governance({ page, client, trans, act }: ITab): JSX.Element {
  const { name } = page.summary;
  const [picked, setPicked] = React.useState<number | undefined>(page.versions[0]?.version);
  const version = `${name}/${picked}`;
  const [asked, setAsked] = React.useState<string | null>(null);
  const gate = useAnswer(asked === version ? () => client.check(version, 'champion') : null, [version, page]);
  const card = useAnswer(() => client.get<ICard>('card', { version }), [version, page]);
  const moves = React.useMemo(() => [...page.transitions].reverse(), [page]);
  return (
    <>
      <Section title={trans.__('Gate to champion')}>
        {picked !== undefined && (
          <div className="jp-ModelOpsPage-choice">
            <Pick label={trans.__('Version')} versions={page.versions} value={picked} pick={setPicked} trans={trans} />
            <ActButton on={() => (asked === version ? gate.again() : setAsked(version))} disabled={gate.busy}>
              {gate.busy ? trans.__('Checking…') : trans.__('Check the gate')}
            </ActButton>
            <ActButton on={() => act('approve', picked)}>{trans.__('Approve…')}</ActButton>
            <ActButton on={() => act('promote', picked)}>{trans.__('Promote…')}</ActButton>
          </div>
        )}
        {gate.error && <Failed error={gate.error} busy={gate.busy} stale={false} trans={trans} retry={gate.again} />}
        {gate.busy && !gate.data && <Loading trans={trans} />}
        {gate.data && <GateView gate={gate.data} trans={trans} />}
      </Section>
      <DecisionsTable rows={page.decisions} trans={trans} />
      <HistoryTable title={trans.__('Promotions and rollbacks')} rows={moves} trans={trans} />
      <Section title={trans.__('Model card of version %1', String(picked ?? ''))}>
        {card.error && <Failed error={card.error} busy={card.busy} stale={false} trans={trans} retry={card.again} />}
        {card.data &&
          Object.entries(card.data.sections).map(([title, rows]) => (
            <React.Fragment key={title}>
              <h3>{title}</h3>
              {Object.keys(rows).length === 0 ? (
                <p className="jp-ModelOpsPage-quiet">{trans.__('Nothing on record.')}</p>
              ) : (
                <FactList rows={Object.entries(rows).map(([label, text]) => [sentence(label), sentence(text)])} />
              )}
            </React.Fragment>
          ))}
        {card.data && <SourceFiles files={card.data.code} trans={trans} />}
      </Section>
    </>
  );
}
