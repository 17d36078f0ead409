import React from 'react';
import { localTime, NOTHING, utcTime } from '../format';

/** When somebody did something: in the reader's zone, in UTC on hover. */
export function Moment({ at }: { at: string | null | undefined }): JSX.Element {
  const utc = at ? utcTime(at) : null;
  return at && utc ? (
    <time dateTime={at} title={utc}>
      {localTime(at)}
    </time>
  ) : (
    <>{at || NOTHING}</>
  );
}
