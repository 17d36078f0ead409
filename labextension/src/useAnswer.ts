import React from 'react';

/** An answer of the server that a part of a page shows. */
export interface IAnswer<T> {
  readonly data: T | undefined;
  readonly error: Error | undefined;
  readonly busy: boolean;
  readonly again: () => void;
}

/**
 * Asks when the part appears and whenever one of `of` changes; an answer that comes too late is dropped.
 *
 * With `ask` null nothing is asked.
 */
export function useAnswer<T>(ask: (() => Promise<T>) | null, of: readonly unknown[]): IAnswer<T> {
  const [state, setState] = React.useState<Omit<IAnswer<T>, 'again'>>(NOTHING);
  const [round, setRound] = React.useState(0);
  const asks = ask !== null;
  React.useEffect(() => {
    if (ask === null) {
      setState(NOTHING);
      return undefined;
    }
    let late = false;
    setState(before => ({ ...before, busy: true }));
    ask().then(
      data => late || setState({ data, error: undefined, busy: false }),
      (error: unknown) =>
        late || setState({ data: undefined, error: error instanceof Error ? error : new Error(String(error)), busy: false })
    );
    return () => {
      late = true;
    };
  }, [asks, round, ...of]);
  return { ...state, again: () => setRound(round + 1) };
}

const NOTHING = { data: undefined, error: undefined, busy: false };
