import type { IModelSummary } from '../tokens';

/** The word before the cursor in a line of `%modelops VERB …`, if a model's reference may stand there; else null. */
export function typedReference(text: string, offset: number): string | null {
  const line = text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset);
  const words = /^\s*(?:\w+\s*=\s*)?%modelops\s+[\w-]+\s+(?:.*\s)?([\w.@/-]*)$/.exec(line);
  const typed = words?.[1];
  return typed === undefined || typed.startsWith('-') ? null : typed;
}

/** How every model can be named: itself, its champion, its versions. */
export function references(models: readonly IModelSummary[]): readonly string[] {
  return models.flatMap(({ name, champion, versions }) => [
    name,
    ...(champion === null ? [] : [`${name}@champion`]),
    ...Array.from({ length: versions }, (_, index) => `${name}/${index + 1}`)
  ]);
}
