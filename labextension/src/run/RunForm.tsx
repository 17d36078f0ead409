import { Button, HTMLSelect, InputGroup } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import { Failed, Loading } from '../components/Notice';
import { type Fault, type IQuestion, read, shown } from './parameters';
import type { RunModel } from './RunModel';

/** The form of a notebook's parameters, each with its type, help and default. */
export function RunForm({ model, trans }: { model: RunModel; trans: TranslationBundle }): JSX.Element {
  const { questions, error, pending } = model;
  const output = React.useId();
  if (!questions) {
    return error ? (
      <Failed error={error} busy={false} stale={false} trans={trans} retry={() => void model.inspect()} />
    ) : (
      <Loading trans={trans} />
    );
  }
  return (
    <form
      className="jp-ModelOpsRun-form"
      aria-label={trans.__('Parameters')}
      onSubmit={event => {
        event.preventDefault();
        void model.start();
      }}
    >
      <fieldset disabled={pending}>
        {questions.length === 0 && (
          <p className="jp-ModelOpsPage-quiet">
            {trans.__('This notebook declares no parameters: tag a cell "parameters" to give it some. It can run as it is.')}
          </p>
        )}
        {questions.map(one => (
          <Question
            key={one.name}
            question={one}
            text={model.answers[one.name] ?? one.initial}
            trans={trans}
            change={text => model.answer(one.name, text)}
          />
        ))}
        <div className="jp-ModelOpsRun-question">
          <label htmlFor={output}>{trans.__('Output')}</label>
          <InputGroup
            id={output}
            value={model.output}
            onChange={event => {
              model.output = event.currentTarget.value;
            }}
          />
          <p className="jp-ModelOpsPage-quiet">{trans.__('The executed notebook, below the folder of the file browser')}</p>
        </div>
        {error && (
          <p className="jp-ModelOpsNotice jp-mod-failed" role="alert">
            {error.message}
          </p>
        )}
        <Button className="jp-mod-styled jp-mod-accept" type="submit" disabled={!model.ready}>
          {pending ? trans.__('Starting…') : trans.__('Run')}
        </Button>
      </fieldset>
    </form>
  );
}

interface IQuestionProps {
  readonly question: IQuestion;
  readonly text: string;
  readonly trans: TranslationBundle;
  readonly change: (text: string) => void;
}

function Question({ question, text, trans, change }: IQuestionProps): JSX.Element {
  const id = React.useId();
  const answer = text === question.initial ? null : read(question, text);
  const fault = answer && 'fault' in answer ? answer.fault : null;
  const note = [question.help, trans.__('default %1', question.default)].filter(Boolean).join(' · ');
  return (
    <div className="jp-ModelOpsRun-question">
      <label htmlFor={id}>
        {question.name}
        {question.type && <code>{question.type}</code>}
      </label>
      <Field id={id} question={question} text={text} change={change} trans={trans} invalid={fault !== null} />
      <p id={`${id}-note`} className="jp-ModelOpsPage-quiet">
        {note}
      </p>
      {fault && (
        <p id={`${id}-fault`} className="jp-ModelOpsRun-fault">
          {faultWords(fault, trans)}
        </p>
      )}
    </div>
  );
}

interface IFieldProps extends Omit<IQuestionProps, 'trans'> {
  readonly id: string;
  readonly trans: TranslationBundle;
  readonly invalid: boolean;
}

function Field({ id, question, text, change, trans, invalid }: IFieldProps): JSX.Element {
  const common = { id, 'aria-describedby': `${id}-note ${id}-fault`, 'aria-invalid': invalid };
  if (question.kind === 'truth' || question.kind === 'choice') {
    const choices = question.kind === 'truth' ? ['true', 'false'] : question.choices.map(shown);
    return (
      <HTMLSelect {...common} value={text} onChange={event => change(event.currentTarget.value)}>
        {question.optional && <option value="">{trans.__('none')}</option>}
        {choices.map(choice => (
          <option key={choice} value={choice}>
            {choice}
          </option>
        ))}
      </HTMLSelect>
    );
  }
  return (
    <InputGroup
      {...common}
      inputMode={question.kind === 'whole' ? 'numeric' : question.kind === 'number' ? 'decimal' : 'text'}
      placeholder={question.optional ? trans.__('none') : ''}
      value={text}
      onChange={event => change(event.currentTarget.value)}
    />
  );
}

function faultWords(fault: Fault, trans: TranslationBundle): string {
  switch (fault) {
    case 'whole':
      return trans.__('A whole number is wanted here.');
    case 'number':
      return trans.__('A number is wanted here.');
    case 'data':
      return trans.__('A Python value is wanted here: text in quotes, a number, a list or a dictionary.');
    case 'missing':
      return trans.__('Something is wanted here.');
  }
}
