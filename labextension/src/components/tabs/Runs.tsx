import React from 'react';
import { NOTHING, shortTime } from '../../format';
import type { IVersion } from '../../tokens';
import type { ITab } from '../page';
import { Table } from '../Table';

/** The run that made each version: where, by whom, from which data. */
export function Runs({ page, trans }: ITab): JSX.Element {
  return (
    <Table<IVersion>
      title={trans.__('Training runs')}
      rows={page.versions}
      trans={trans}
      empty={trans.__('No runs.')}
      columns={[
        { title: trans.__('Version'), numeric: true, cell: version => version.version },
        { title: trans.__('When'), cell: version => shortTime(version.created_at) },
        { title: trans.__('By'), cell: version => version.created_by },
        { title: trans.__('MLflow run'), cell: version => code(version.run_id) },
        { title: trans.__('Notebook'), cell: version => version.source['notebook'] ?? NOTHING },
        { title: trans.__('Git commit'), cell: version => code(version.source['git_commit']) },
        { title: trans.__('Data'), cell: version => code(version.data_fingerprint) },
        { title: trans.__('Inputs'), wraps: true, cell: version => version.inputs.join(', ') || NOTHING }
      ]}
    />
  );
}

function code(text: string | null | undefined): React.ReactNode {
  return text ? <code title={text}>{text.slice(0, 12)}</code> : NOTHING;
}
