/** What a notebook's parameters cell declares, and what people type for it. */

/** One declared parameter; type and default are Python source, value is the default's where it is a literal. */
export interface IParameter {
  readonly name: string;
  readonly type: string | null;
  readonly default: string;
  readonly help: string;
  readonly value: unknown;
  readonly choices: readonly unknown[];
}

export type Kind = 'truth' | 'whole' | 'number' | 'text' | 'choice' | 'data' | 'source';

/** How a parameter is asked for. */
export interface IQuestion extends IParameter {
  readonly kind: Kind;
  /** Whether nothing (None) is an answer too. */
  readonly optional: boolean;
  /** What stands in its field at first. */
  readonly initial: string;
}

const NONE = /\bNone\b|\bOptional\[/;

/** Works out how to ask for a parameter, from its annotation or else from its default. */
export function question(parameter: IParameter): IQuestion {
  const { value, choices } = parameter;
  const literal = value !== null || parameter.default === 'None'; // anything else, only the notebook can work out
  const optional = NONE.test(parameter.type ?? '') || parameter.default === 'None';
  const kind = choices.length > 0 ? 'choice' : kindOf(parameter.type ?? '', value, literal);
  return { ...parameter, kind, optional, initial: literal ? shown(value) : parameter.default };
}

function kindOf(type: string, value: unknown, literal: boolean): Kind {
  if (!literal) {
    return 'source';
  }
  const bare = type.replace(/\bOptional\[(.*)\]$/, '$1').replace(/\s*\|\s*None|None\s*\|\s*/g, '').trim();
  switch (bare || typeof value) {
    case 'bool':
    case 'boolean':
      return 'truth';
    case 'int':
      return 'whole';
    case 'float':
    case 'number':
      return 'number';
    case 'str':
    case 'string':
      return 'text';
    default:
      return 'data';
  }
}

/** The value of a Python literal, or undefined where the text is something else. */
export function parsePython(source: string): unknown {
  const json = source.replace(/'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|\b(True|False|None)\b|\(|\)|(\d)_(?=\d)/g, found => {
    switch (found[0]) {
      case "'":
        return `"${found.slice(1, -1).replace(/\\'/g, "'").replace(/(^|[^\\])"/g, '$1\\"')}"`;
      case '"':
        return found;
      case 'T':
        return 'true';
      case 'F':
        return 'false';
      case 'N':
        return 'null';
      case '(':
        return '[';
      case ')':
        return ']';
      default:
        return found.slice(0, -1);
    }
  });
  try {
    return JSON.parse(json.replace(/,\s*([\]}])/g, '$1'));
  } catch {
    return undefined;
  }
}

/** A value as a form shows it. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) {
    return '';
  }
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** What is wrong with an answer, as a code that the form puts in words. */
export type Fault = 'whole' | 'number' | 'data' | 'missing';

/** The value that an answer means, or what is wrong with it. */
export function read({ kind, optional, choices }: IQuestion, text: string): { value: unknown } | { fault: Fault } {
  const trimmed = text.trim();
  if (trimmed === '' && kind !== 'text') {
    return optional ? { value: null } : { fault: 'missing' };
  }
  switch (kind) {
    case 'truth':
      return { value: trimmed === 'true' };
    case 'whole':
      return /^[+-]?\d+$/.test(trimmed) ? { value: Number(trimmed) } : { fault: 'whole' };
    case 'number':
      return Number.isFinite(Number(trimmed)) ? { value: Number(trimmed) } : { fault: 'number' };
    case 'text':
      return { value: text === '' && optional ? null : text };
    case 'choice':
      return { value: choices.find(choice => shown(choice) === text) ?? null };
    default: {
      const value = parsePython(trimmed);
      return value === undefined ? { fault: 'data' } : { value };
    }
  }
}

/** The values that differ from the notebook's own: what is left alone, the notebook works out itself. */
export function changed(
  questions: readonly IQuestion[],
  answers: Readonly<Record<string, string>>
): Readonly<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const one of questions) {
    const text = answers[one.name];
    const answer = text === undefined || text === one.initial ? undefined : read(one, text);
    if (answer && 'value' in answer) {
      found[one.name] = answer.value;
    }
  }
  return found;
}

/** Where a notebook's output goes unless another name is given: beside it, under its name and the time. */
export function outputPath(path: string, at: Date): string {
  const time = at.toISOString().replace(/[-:]/g, '').slice(0, 15);
  return path.replace(/\.ipynb$/, `-${time}.ipynb`);
}
