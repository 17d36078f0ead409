import React from 'react';

interface IReasonProps {
  readonly label: string;
  readonly value: string;
  readonly pending: boolean;
  readonly error: Error | undefined;
  readonly change: (reason: string) => void;
}

/** Where a reason is written, and why the last attempt was refused. */
export function Reason({ label, value, pending, error, change }: IReasonProps): JSX.Element {
  const id = React.useId();
  return (
    <>
      <label className="jp-ModelOpsDialog-reason" htmlFor={id}>
        {label}
      </label>
      <textarea
        id={id}
        className="jp-mod-styled"
        rows={3}
        required
        readOnly={pending}
        maxLength={10_000}
        value={value}
        onChange={event => change(event.currentTarget.value)}
      />
      {error && (
        <p className="jp-ModelOpsNotice jp-mod-failed" role="alert">
          {error.message}
        </p>
      )}
    </>
  );
}
