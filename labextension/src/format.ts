/** How figures, times and health read; the same as `modelops_jupyter.display.words`. */

export const NOTHING = '–';

const METRICS: Readonly<Record<string, string>> = {
  roc_auc: 'ROC AUC',
  brier_score: 'Brier score',
  log_loss: 'log loss',
  psi: 'PSI',
  psi_debiased: 'PSI less chance',
  jensen_shannon_debiased: 'Jensen-Shannon distance less chance',
  mean_absolute_error: 'mean absolute error',
  root_mean_squared_error: 'root mean squared error',
  null_rate: 'null rate',
  unseen_rate: 'unseen rate',
  mistyped_rate: 'unreadable rate',
  out_of_range_rate: 'out-of-range rate',
  jensen_shannon: 'Jensen-Shannon distance',
  kolmogorov_smirnov: 'Kolmogorov-Smirnov distance',
  rank_shift: 'shift of ranks',
  share_shift: 'shift of a share',
  outcome_excess: 'share of positives beyond the expected one',
  hellinger: 'Hellinger distance',
  wasserstein: 'Wasserstein distance',
  l_infinity: 'L-infinity distance',
  matthews_correlation: 'Matthews correlation',
  f1: 'F1',
  f1_macro: 'F1 (macro)',
  r2: 'R²',
  calibration_shift: 'calibration shift',
  label_shift: 'label shift',
  error_shift: 'error shift',
  average_precision: 'average precision',
  balanced_accuracy: 'balanced accuracy',
  expected_calibration_error: 'expected calibration error',
  mean_error: 'mean error',
  mean_length: 'mean length',
  zero_rate: 'zero rate'
};

const CODES = Object.keys(METRICS)
  .sort((a, b) => b.length - a.length)
  .map(name => name.replaceAll('_', '[_ ]'))
  .join('|');
const METRIC = new RegExp(`\\b(?:(?:recent|estimated)[_ ])?(?:${CODES})\\b`, 'g');

/** Three significant digits; whole and large numbers in full. */
export function number(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) {
    return NOTHING;
  }
  if (Number.isInteger(value) || Math.abs(value) >= 1000) {
    return value.toLocaleString('en', { maximumFractionDigits: 0 });
  }
  return Math.abs(value) >= 1e-4 ? value.toPrecision(3) : value.toExponential(1);
}

/** The day some days after a time, as a date field has it; empty where there is no time. */
export function daysAfter(time: string, days: number): string {
  const at = Date.parse(time);
  return Number.isNaN(at) ? '' : new Date(at + days * 86_400_000).toISOString().slice(0, 10);
}

/** A number with its sign, as a change has it. */
export function signed(value: number): string {
  return value > 0 ? `+${number(value)}` : number(value).replace('-', '−');
}

/** A share from 0 to 1 in percent. */
export function percent(share: number): string {
  return share > 0 && share < 0.001 ? '< 0.1 %' : `${(100 * share).toFixed(1)} %`;
}

/** A window's time in the zone that it is written with, without the hour where it is midnight; other text as it is. */
export function shortTime(text: string | null | undefined): string {
  if (!text) {
    return NOTHING;
  }
  if (Number.isNaN(moment(text))) {
    return text;
  }
  const [day, minute] = [text.slice(0, 10), text.slice(11, 16)];
  return minute === '00:00' || !minute ? day : `${day} ${minute}`;
}

/** A moment in the reader's zone, to the minute. */
export function localTime(text: string): string {
  const at = new Date(moment(text));
  const two = (part: number): string => String(part).padStart(2, '0');
  const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join('-');
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** A moment in UTC, or null where the text is no time. */
export function utcTime(text: string): string | null {
  const at = moment(text);
  return Number.isNaN(at) ? null : `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** Milliseconds of an ISO time; one without a zone is in UTC. */
export function moment(text: string): number {
  return Date.parse(/([+-]\d\d:\d\d|Z)$/.test(text) ? text : `${text}Z`);
}

/** The parts of a message in order; every other one, from the second on, is a command that stood between backticks. */
export function parts(text: string): readonly string[] {
  return text.split(/`([^`]*)`/);
}

/** A message with its times short and its metrics as people write them; commands between backticks stay as they are. */
export function sentence(text: string): string {
  return parts(text)
    .map((part, n) => (n % 2 ? `\`${part}\`` : words(part)))
    .join('');
}

function words(text: string): string {
  const named = text.replace(METRIC, found => metricName(found.replaceAll(' ', '_')));
  return named.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:\d\d|Z)?/g, found => shortTime(found));
}

/** How people write a metric. */
export function metricName(name: string | null): string {
  const [, when = '', code = ''] = /^(recent_|estimated_)?(.*)$/s.exec(name ?? '') ?? [];
  return when.replace('_', ' ') + (METRICS[code] ?? code.replaceAll('_', ' '));
}

/** What kind of model it is; kinds of plugins are shown as they call themselves. */
export function kindWord(kind: string, trans: { __: (text: string) => string }): string {
  switch (kind) {
    case 'ml':
      return trans.__('ML');
    case 'decision':
      return trans.__('decision table');
    default:
      return kind;
  }
}

/** A text with a capital first letter, as a heading has it. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
