import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { Client } from '../api';
import { incidentCode } from '../code';
import { capital, sentence, shortTime } from '../format';
import type { IIncident, IOverview } from '../tokens';
import { useAnswer } from '../useAnswer';
import { ActButton } from './ActButton';
import { Failed } from './Notice';
import { Table } from './Table';

export type IncidentAction = 'acknowledge' | 'resolve' | 'mute' | 'accept' | 'revoke';

const LIVE: ReadonlySet<string> = new Set(['open', 'acknowledged']);

interface IIncidentsProps {
  readonly page: IOverview;
  readonly client: Client;
  readonly trans: TranslationBundle;
  readonly handle: (action: IncidentAction, incident: IIncident) => Promise<boolean>;
}

/** The model's incidents: alerts of one cause, who has them in hand, and what can be done about them. */
export function Incidents({ page, client, trans, handle }: IIncidentsProps): JSX.Element {
  const { name } = page.summary;
  const { data, error, busy, again } = useAnswer(
    () => client.get<{ rows: readonly IIncident[] }>('incidents', { name }),
    [name, page]
  );
  const act = (action: IncidentAction, incident: IIncident): void => {
    void handle(action, incident).then(done => done && again());
  };
  if (error) {
    return <Failed error={error} busy={busy} stale={false} trans={trans} retry={again} />;
  }
  return (
    <Table<IIncident>
      title={trans.__('Incidents')}
      rows={data?.rows ?? []}
      trans={trans}
      empty={data ? trans.__('No incidents.') : trans.__('Reading the workspace…')}
      codeOf={incident => ({ label: trans.__('incident %1', incident.id), code: incidentCode(incident.id) })}
      columns={[
        { title: trans.__('State'), cell: incident => stateWord(standing(incident), trans) },
        {
          title: trans.__('What happened'),
          wraps: true,
          cell: incident => (
            <>
              {sentence(incident.title)}
              {incident.suppressed && <p className="jp-ModelOpsPage-quiet">{capital(sentence(incident.suppressed))}</p>}
            </>
          )
        },
        { title: trans.__('Since'), cell: incident => shortTime(incident.first_window) },
        { title: trans.__('Alerts'), numeric: true, cell: incident => incident.alerts },
        { title: trans.__('Owner'), cell: incident => incident.owner ?? trans.__('nobody yet') },
        {
          title: trans.__('Actions'),
          cell: incident => (
            <span className="jp-ModelOpsPage-inline">
              {incident.state === 'open' && (
                <ActButton on={() => act('acknowledge', incident)}>{trans.__('Acknowledge…')}</ActButton>
              )}
              {LIVE.has(incident.state) && (
                <ActButton on={() => act('resolve', incident)}>{trans.__('Resolve…')}</ActButton>
              )}
              {LIVE.has(incident.state) && incident.suppressed === '' && (
                <>
                  <ActButton on={() => act('mute', incident)}>{trans.__('Mute…')}</ActButton>
                  <ActButton on={() => act('accept', incident)}>{trans.__('Accept…')}</ActButton>
                </>
              )}
              {incident.revocable && (
                <ActButton on={() => act('revoke', incident)}>{trans.__('Take back…')}</ActButton>
              )}
            </span>
          )
        }
      ]}
    />
  );
}

/** What is muted or accepted is called so. */
function standing({ state, suppressed }: IIncident): string {
  return suppressed && (LIVE.has(state) || state === 'resolved') ? (suppressed.split(' ')[0] ?? state) : state;
}

function stateWord(state: string, trans: TranslationBundle): string {
  switch (state) {
    case 'open':
      return trans.__('open');
    case 'acknowledged':
      return trans.__('acknowledged');
    case 'muted':
      return trans.__('muted');
    case 'accepted':
      return trans.__('accepted');
    case 'resolved':
      return trans.__('resolved');
    case 'recovered':
      return trans.__('recovered by itself');
    case 'superseded':
      return trans.__('version replaced');
    default:
      return state;
  }
}
