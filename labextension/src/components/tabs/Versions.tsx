import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import { recorded } from '../../evidence';
import { metricName, number, sentence, utcTime } from '../../format';
import type { IVersion } from '../../tokens';
import { ActButton } from '../ActButton';
import { FactList, Section } from '../Facts';
import { Moment } from '../Moment';
import type { ITab } from '../page';
import { VersionsTable } from '../tables';

/** Every version; the picked one with its facts and what can be done to it. */
export function Versions({ page, trans, act }: ITab): JSX.Element {
  const [picked, setPicked] = React.useState<number | null>(null);
  const version = page.versions.find(one => one.version === picked) ?? page.versions[0];
  return (
    <>
      <VersionsTable rows={page.versions} picked={version?.version ?? null} pick={setPicked} trans={trans} />
      {version && (
        <Section title={trans.__('Version %1', String(version.version))}>
          <div className="jp-ModelOpsActions" role="group" aria-label={trans.__('Actions')}>
            <ActButton on={() => act('promote', version.version)}>{trans.__('Promote…')}</ActButton>
            <ActButton on={() => act('approve', version.version)}>{trans.__('Approve…')}</ActButton>
            <ActButton on={() => act('reject', version.version)}>{trans.__('Reject…')}</ActButton>
            <ActButton on={() => act('comment', version.version)}>{trans.__('Comment…')}</ActButton>
            {page.summary.champion !== null && (
              <ActButton on={() => act('rollback')}>{trans.__('Roll back champion…')}</ActButton>
            )}
          </div>
          <FactList rows={versionFacts(version, trans)} />
        </Section>
      )}
    </>
  );
}

/** Where a version comes from and what it was shown to do, as titles and values. */
export function versionFacts(version: IVersion, trans: TranslationBundle): readonly (readonly [string, React.ReactNode])[] {
  return [
    [trans.__('Aliases'), version.aliases],
    [trans.__('Measured'), measured(version, trans)],
    [trans.__('Claimed'), figures(version, false, trans)],
    [trans.__('Not measured'), sentence(version.measured_reason ?? '')],
    [trans.__('Task'), version.task],
    [trans.__('Format'), version.unsafe ? trans.__('%1 (unsafe: runs code when loaded)', version.flavor) : version.flavor],
    [trans.__('Calls functions of the project'), version.calls],
    [trans.__('Features'), version.features.join(', ')],
    [trans.__('Registered'), <Moment key="at" at={version.created_at} />],
    [trans.__('By'), version.created_by],
    [trans.__('Notebook'), version.source['notebook']],
    [trans.__('Git commit'), code(version.source['git_commit'])],
    [trans.__('MLflow run'), code(version.run_id)],
    [trans.__('Inputs'), version.inputs.join(', ')],
    [trans.__('Data fingerprint'), code(version.data_fingerprint)],
    [trans.__('Outcomes validated on'), code(version.outcomes_fingerprint)],
    [trans.__('Artifact digest'), code(version.digest)]
  ];
}

/** What was measured: on which rows, when and by what. */
function measured(version: IVersion, trans: TranslationBundle): string {
  const { measured: evidence } = version;
  if (!evidence) {
    return '';
  }
  const rows = trans._n('on %1 row', 'on %1 rows', evidence.rows);
  return `${figures(version, true, trans)}; ${rows}, ${utcTime(evidence.at) ?? evidence.at}, ${evidence.by}`;
}

function figures(version: IVersion, isMeasured: boolean, trans: TranslationBundle): string {
  return recorded(version)
    .filter(metric => metric.measured === isMeasured)
    .map(({ name, value, claim }) => {
      const text = `${metricName(name)} ${number(value)}`;
      return claim === null ? text : trans.__('%1 (claimed: %2)', text, number(claim));
    })
    .join(', ');
}

function code(text: string | null | undefined): JSX.Element | null {
  return text ? <code title={text}>{text.slice(0, 16)}</code> : null;
}
