import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { Health } from '../tokens';

const SHAPES: Readonly<Record<Health, string>> = {
  alert: 'M4.1.6h5.8l3.5 3.5v5.8l-3.5 3.5H4.1L.6 9.9V4.1zM4.9 4 4 4.9 6.1 7 4 9.1l.9.9L7 7.9l2.1 2.1.9-.9L7.9 7 10 4.9 9.1 4 7 6.1z',
  warning: 'M7 .8 13.8 13H.2zM6.3 5v4h1.4V5zm0 5.2v1.4h1.4v-1.4z',
  healthy: 'M7 .5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zM6.1 8.3 4.2 6.4l-1 1 2.9 2.9 4.9-4.9-1-1z',
  'not judged': 'M7 .5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zm0 1.5a5 5 0 1 0 0 10A5 5 0 0 0 7 2z'
};

/** The word for a health. */
export function healthWord(health: Health, trans: TranslationBundle): string {
  switch (health) {
    case 'alert':
      return trans.__('alert');
    case 'warning':
      return trans.__('warning');
    case 'healthy':
      return trans.__('healthy');
    case 'not judged':
      return trans.__('not judged');
  }
}

/** A shape per health; it never stands without its word. */
export function HealthIcon({ health }: { health: Health }): JSX.Element {
  return (
    <svg className={`jp-ModelOpsHealth-icon jp-mod-${health.replace(' ', '-')}`} viewBox="0 0 14 14" aria-hidden="true">
      <path d={SHAPES[health]} fillRule="evenodd" />
    </svg>
  );
}

/** Health as a shape and a word. */
export function HealthLabel({ health, trans }: { health: Health; trans: TranslationBundle }): JSX.Element {
  return (
    <span className="jp-ModelOpsHealth">
      <HealthIcon health={health} />
      {healthWord(health, trans)}
    </span>
  );
}
