import type { TranslationBundle } from '@jupyterlab/translation';
import { VDomRenderer } from '@jupyterlab/ui-components';
import React from 'react';
import { runWithIcon } from '../icons';
import { RunForm } from './RunForm';
import type { RunModel } from './RunModel';
import { RunProgress } from './RunProgress';

/** A notebook's form and then its run, as a widget. */
export class RunWidget extends VDomRenderer<RunModel> {
  constructor(
    model: RunModel,
    private readonly trans: TranslationBundle,
    private readonly openOutput: (path: string) => void
  ) {
    super(model);
    this.id = `modelops-run-${encodeURIComponent(model.path)}`;
    this.addClass('jp-ModelOpsPage');
    this.title.label = trans.__('Run %1', model.path.split('/').pop() ?? model.path);
    this.title.caption = trans.__('Run %1 with parameters', model.path);
    this.title.icon = runWithIcon;
  }

  override dispose(): void {
    this.model.dispose();
    super.dispose();
  }

  protected override render(): JSX.Element {
    const { job, path, output } = this.model;
    return (
      <article className="jp-ModelOpsRun">
        <header className="jp-ModelOpsPage-header">
          <h1>{this.trans.__('Run with parameters')}</h1>
          <p>{path}</p>
        </header>
        {job ? (
          <RunProgress
            model={job}
            output={output}
            trans={this.trans}
            openOutput={this.openOutput}
            again={() => this.model.again()}
          />
        ) : (
          <RunForm model={this.model} trans={this.trans} />
        )}
      </article>
    );
  }
}
