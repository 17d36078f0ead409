import React from 'react';
import { parts, sentence } from '../format';

/** A message with its metrics as people write them and its commands, between backticks, as code. */
export function Prose({ text }: { text: string }): JSX.Element {
  return <span>{parts(text).map((part, n) => (n % 2 ? <code key={n}>{part}</code> : sentence(part)))}</span>;
}
