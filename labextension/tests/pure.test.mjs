import assert from 'node:assert/strict';
import test from 'node:test';
import { band, extent, lanes, line, nearest, peaks, scale, steps, ticks, timeTicks } from '../lib/chart.js';
import { choose, census, EVERYTHING } from '../lib/filter.js';
import { rowsToDraw, scrollTo } from '../lib/rows.js';
import { changed, outputPath, parsePython, question, read } from '../lib/run/parameters.js';
import { EventCutter } from '../lib/run/stream.js';
import { alertCode, literal, modelCode, registerCode } from '../lib/code.js';
import { metricOf, recorded, sameRows } from '../lib/evidence.js';
import { daysAfter, metricName, moment, number, sentence, shortTime } from '../lib/format.js';
import { marks } from '../lib/marks.js';
import { layout } from '../lib/performance.js';
import { labelChoices, likelyData, likelyLabels, likelyValidation } from '../lib/register/likely.js';

test('numbers keep three significant digits', () => {
  const found = [0.81234, 1234567, 12345.6, null, NaN, 0, 0.00001].map(number);
  assert.deepEqual(found, ['0.812', '1,234,567', '12,346', '–', '–', '0', '1.0e-5']);
});

test('times are short, in the zone that they are written with; what is no time stays as it is', () => {
  const found = ['2013-04-01T00:00:00+00:00', '2013-04-01T05:30:59.1+02:00', null, 'soon'].map(shortTime);
  assert.deepEqual(found, ['2013-04-01', '2013-04-01 05:30', '–', 'soon']);
  assert.equal(moment('2013-04-01T00:00:00'), Date.UTC(2013, 3, 1));
  assert.equal(sentence('from 2013-07-05T00:00:00+00:00; it fell'), 'from 2013-07-05; it fell');
});

test('a date some days later; none where there is no time', () => {
  assert.equal(daysAfter('2013-06-20T00:00:00+00:00', 30), '2013-07-20');
  assert.equal(daysAfter('', 30), '');
});

test('metrics read as people write them', () => {
  assert.equal(metricName('my_metric'), 'my metric');
  assert.equal(metricName('recent_roc_auc'), 'recent ROC AUC');
  assert.equal(metricName(null), '');
  assert.equal(sentence('log_loss, roc auc got worse'), 'log loss, ROC AUC got worse');
  assert.equal(sentence('recent_roc_auc and kolmogorov smirnov'), 'recent ROC AUC and Kolmogorov-Smirnov distance');
});

test('a line breaks where a value is missing and keeps lone points', () => {
  const points = [{ x: 0, y: 1 }, { x: 1, y: 2 }, null, { x: 3, y: 4 }, null];
  assert.equal(line(points), 'M0,1L1,2M3,4h0');
  assert.equal(line([]), '');
});

test('an interval is an area that breaks where it is missing; a lone one has none', () => {
  const at = x => ({ x, low: 3, high: 1 });
  assert.equal(band([at(0), at(1), null, at(3)]), 'M0,1L1,1L1,3L0,3Z');
  assert.equal(band([]), '');
});

test('of a long history every stretch keeps its lowest and its highest', () => {
  const values = Array.from({ length: 20_000 }, (_, n) => (n === 7777 ? 9 : n === 7778 ? -9 : Math.sin(n)));
  values.fill(null, 100, 300);
  const kept = peaks(values, 1000);
  assert.ok(kept.length <= 1002 && kept.length > 900);
  assert.ok([0, 7777, 7778, 19_999].every(n => kept.includes(n)));
  assert.ok(kept.some(n => values[n] === null), 'a gap stays a gap');
  assert.deepEqual(kept, [...kept].sort((a, b) => a - b));
  assert.deepEqual(peaks([3, null, 1], 1000), [0, 1, 2]);
  assert.deepEqual(peaks([], 10), []);
  const hours = Array.from({ length: 8760 }, (_, hour) => (hour >= 1003 && hour < 1023 ? null : 1));
  assert.ok(peaks(hours, 1000).includes(1003), 'a gap between two stretches stays too');
});

test('levels are joined while they are equal', () => {
  const pieces = [{ from: 0, to: 1, y: 5 }, { from: 1, to: 2, y: 5 }, { from: 2, to: 3, y: null }, { from: 3, to: 4, y: 6 }];
  assert.equal(steps(pieces), 'M0,5H2M3,6H4');
});

test('scales, extents and ticks stand degenerate data', () => {
  assert.equal(scale([1, 1], [0, 10])(1), 5);
  assert.equal(extent([null, NaN, undefined]), null);
  const [low, high] = extent([0.5, null, 0.5]);
  assert.ok(low < 0.5 && high > 0.5);
  assert.deepEqual(ticks([0.64, 0.82], 4), [0.65, 0.7, 0.75, 0.8]);
  assert.deepEqual(ticks([1, 1]), [1]);
  assert.equal(nearest([], 3), -1);
  assert.equal(nearest([0, 10, 20], 14), 1);
});

test('time ticks are calendar times, from hours to years', () => {
  const at = (...parts) => Date.UTC(...parts);
  const labels = (from, to) => timeTicks(from, to, 6).map(tick => tick.label);
  assert.deepEqual(labels(at(2013, 3, 1), at(2013, 3, 1, 12)), ['00:00', '03:00', '06:00', '09:00', '12:00']);
  assert.deepEqual(labels(at(2013, 0, 15), at(2013, 10, 1)), ['Mar 2013', 'May 2013', 'Jul 2013', 'Sep 2013', 'Nov 2013']);
  for (const days of [1, 3, 10, 40, 100, 400, 4000]) {
    assert.ok(labels(at(2013, 0, 1), at(2013, 0, 1 + days)).length <= 8);
  }
});

test('labels that would touch stand in rows of their own', () => {
  assert.deepEqual(lanes([{ x: 0, width: 10 }, { x: 5, width: 10 }, { x: 11, width: 10 }]), [0, 1, 0]);
});

test('the list begins with what needs somebody, and filters by every word', () => {
  const model = (name, health, kind = 'ml', open_alerts = 0) => ({ name, health, kind, open_alerts });
  const models = [model('b', 'healthy'), model('a-2', 'alert', 'ml', 2), model('a-10', 'alert'), model('z', 'not judged', 'decision')];
  const names = choice => choose(models, { ...EVERYTHING, ...choice }).map(one => one.name);
  assert.deepEqual(names({}), ['a-2', 'a-10', 'b', 'z']);
  assert.deepEqual(names({ query: 'A 10' }), ['a-10']);
  assert.deepEqual(names({ query: 'decision' }), ['z']);
  assert.deepEqual(names({ query: '<script>' }), []);
  assert.deepEqual(names({ health: 'healthy' }), ['b']);
  assert.deepEqual(names({ kind: 'decision' }), ['z']);
  assert.deepEqual(names({ alerting: true }), ['a-2']);
  const owned = [...models, { name: 'x', kind: 'ml', health: 'healthy', open_alerts: 0, owner: 'Olivia', risk_tier: 'high' }];
  const chosen = choice => choose(owned, { ...EVERYTHING, ...choice }).map(one => one.name);
  assert.deepEqual(chosen({ owner: 'Olivia' }), ['x']);
  assert.deepEqual(chosen({ tier: '' }), ['a-2', 'a-10', 'b', 'z']);
  assert.deepEqual(chosen({ query: 'olivia high' }), ['x']);
  assert.deepEqual([...census(owned).owners], [['Olivia', 1], ['', 4]]);
  const { health, alerting, kinds } = census(models);
  assert.deepEqual(health, { alert: 2, warning: 0, healthy: 1, 'not judged': 1 });
  assert.deepEqual([alerting, ...kinds], [1, ['decision', 1], ['ml', 3]]);
});

const day = n => new Date(Date.UTC(2013, 3, 1 + n)).toISOString();
const served = versions =>
  versions.map((version, n) => ({ start: day(n), end: day(n + 1), version, value: 0.7 + n / 100, rows: 9, reason: null, low: 0.6, high: 0.9, estimated: 0.71 }));
const move = (at, action, to_version) => ({ at, action, to_version, alias: 'champion', reason: 'why' });

test('a promotion is marked when it was made, or where a replayed log first shows it', () => {
  const live = marks(served([1, 1, 2, 2]), [move(day(2), 'promote', 2)]);
  assert.deepEqual(live.map(mark => [mark.at, mark.version, mark.action]), [[Date.parse(day(2)), 2, 'promote']]);
  const later = '2026-01-01T00:00:00+00:00';
  const moves = [move(later, 'promote', 1), move(later, 'promote', 2), move(later, 'rollback', 1)];
  const replayed = marks(served([1, 1, 2, 1]), moves);
  assert.deepEqual(replayed.map(mark => [mark.version, mark.action]), [[2, 'promote'], [1, 'rollback']]);
  assert.deepEqual(marks(served([1, 3]), []).map(mark => mark.action), ['serves']);
  assert.deepEqual(marks([], moves), []);
});

test('everything of the chart stands within its width', () => {
  const page = { windows: served([1, 1, 2, 2]), transitions: [move(day(2), 'promote', 2)], expected: { 1: 0.75 }, metric: 'auc', beside: [] };
  for (const width of [240, 900]) {
    const chart = layout(page, width);
    assert.ok(chart.positions.every(x => x >= chart.left && x <= chart.right));
    assert.ok(chart.heights.every(y => y >= chart.top && y <= chart.bottom));
    assert.ok(chart.marks.every(mark => mark.labelX > 0 && mark.labelX < width));
  }
  assert.equal(layout({ ...page, windows: [] }, 900), null);
});

test('a shadow is drawn beside what was served, within the same time', () => {
  const shadow = { version: 2, role: 'shadow', windows: served(Array(9).fill(2)), expected: 0.8, open_alerts: 0 };
  const page = { windows: served([1, 1, 1]), transitions: [], expected: {}, metric: 'auc', beside: [shadow] };
  const [line] = layout(page, 900).beside;
  assert.equal(line.name, 'version 2 as shadow');
  assert.equal(line.line.split('L').length, 3);
});

test('a chart of fifty years draws no more points than one of three', () => {
  const chart = layout({ windows: served(Array(18_000).fill(1)), transitions: [], expected: { 1: 0.75 }, metric: 'auc', beside: [] }, 900);
  for (const path of [chart.line, chart.band, chart.estimated, chart.expected]) {
    assert.ok(path.split(/[LH]/).length < 2100, `${path.length}`);
  }
  assert.equal(chart.positions.length, 18_000);
});

test('of a long list only the rows in view are drawn, and the one that has the focus', () => {
  assert.deepEqual(rowsToDraw(3, 50, 0, 600, -1), [0, 1, 2]);
  assert.deepEqual(rowsToDraw(1000, 50, 5000, 100, 0, 1), [0, 99, 100, 101, 102, 103]);
  assert.deepEqual(rowsToDraw(1000, 50, 0, 100, 999, 0), [0, 1, 2, 999]);
  assert.deepEqual(rowsToDraw(0, 50, 0, 100, -1), []);
  assert.equal(scrollTo(0, 50, 300, 100), 0);
  assert.equal(scrollTo(9, 50, 0, 100), 400);
  assert.equal(scrollTo(1, 50, 0, 100), 0);
});

test('what users wrote is a Python text in the code that is inserted', () => {
  assert.equal(literal('a"b\\\n'), '"a\\"b\\\\\\n"');
  assert.equal(literal('é'), '"\\u00e9"');
  assert.ok(modelCode('flight-delay', 3).endsWith('model = ws.load("flight-delay@champion")'));
  assert.ok(modelCode('flight-delay', null).endsWith('\nws.versions("flight-delay")'));
  const alert = alertCode({ model: 'x").y', column: 'wind', metric: 'psi' });
  assert.ok(alert.includes('ws.alerts("x\\").y").to_frame()'));
  assert.ok(alert.endsWith('alerts[(alerts["column"] == "wind") & (alerts["metric"] == "psi")]'));
});

const parameter = (name, type, source, value, choices = []) => ({ name, type, default: source, value, choices, help: '' });

test('a parameter is asked for by its annotation, else by its default', () => {
  const kinds = [
    parameter('a', 'int', '3', 3),
    parameter('b', null, 'True', true),
    parameter('c', 'float | None', 'None', null),
    parameter('d', null, "'x'", 'x'),
    parameter('e', 'Literal[1, 2]', '1', 1, [1, 2]),
    parameter('f', 'list[str]', "['x']", ['x']),
    parameter('g', null, 'today()', null)
  ].map(one => question(one));
  assert.deepEqual(kinds.map(one => one.kind), ['whole', 'truth', 'number', 'text', 'choice', 'data', 'source']);
  assert.deepEqual(kinds.map(one => one.initial), ['3', 'true', '', 'x', '1', '["x"]', 'today()']);
  const answers = ['4', 'false', '', 'y', '2', "['x', 'y']", '[1]'];
  assert.deepEqual(kinds.map((one, n) => read(one, answers[n]).value), [4, false, null, 'y', 2, ['x', 'y'], [1]]);
  const faults = [read(kinds[0], '1.5'), read(kinds[0], ''), read(kinds[2], 'x'), read(kinds[5], 'today()')];
  assert.deepEqual(faults.map(one => one.fault), ['whole', 'missing', 'number', 'data']);
  assert.deepEqual(changed(kinds, { a: '3', d: 'z', c: '' }), { d: 'z' });
});

test('values are read as Python or JSON writes them', () => {
  const found = ["[1, 'a', None]", '{"a": True}', "(1_000, 2,)", "'it''s'", '"true"', 'None', "'a\"b'"].map(parsePython);
  assert.deepEqual(found, [[1, 'a', null], { a: true }, [1000, 2], undefined, 'true', null, 'a"b']);
  assert.equal(outputPath('a/train.ipynb', new Date(Date.UTC(2026, 0, 2, 3, 4, 5))), 'a/train-20260102T030405.ipynb');
});

test('a stream is cut into whole events, wherever it is torn', () => {
  const cutter = new EventCutter();
  const text = ': hello\n\nid: 1\nevent: cell\ndata: {"a": 1}\n\nevent: end\r\ndata: {}\n\n';
  const events = [...text].flatMap(one => cutter.push(one));
  assert.deepEqual(events, [{ id: '1', type: 'cell', data: '{"a": 1}' }, { id: undefined, type: 'end', data: '{}' }]);
});

test('a command in a message stays as it has to be typed', () => {
  const message = 'roc_auc 0.5 is missing: run `modelops register m d --metric roc_auc=VALUE`, log_loss too';
  assert.equal(sentence(message), 'ROC AUC 0.5 is missing: run `modelops register m d --metric roc_auc=VALUE`, log loss too');
});

test('a metric is measured or claimed, and a claim that differs is told', () => {
  const measured = { metrics: { accuracy: 0.8, roc_auc: 0.71 }, rows: 200, fingerprint: 'f', at: '', by: '' };
  const version = { metrics: { cost: 3, accuracy: 0.8, roc_auc: 0.71 }, claimed: { cost: 3, accuracy: 0.801, roc_auc: 0.999 }, measured };
  assert.deepEqual(
    recorded(version).map(({ name, measured: how, claim }) => [name, how, claim]),
    [['roc_auc', true, 0.999], ['accuracy', true, null], ['cost', false, null]]
  );
  assert.equal(metricOf(version, 'r2'), undefined);
  const claims = { metrics: { roc_auc: 0.9 }, measured: null, outcomes_fingerprint: 'f' };
  assert.deepEqual([sameRows(version, claims, 'roc_auc'), sameRows(version, claims, 'cost')], [true, false]);
  assert.equal(sameRows({ metrics: {} }, { metrics: {} }, 'roc_auc'), false);
});

const table = (name, rows, columns) => ({ name, type: 'pandas DataFrame', rows, columns });
const labels = (name, rows) => ({ name, type: 'pandas Series', rows, columns: null });
const model = features => ({ name: 'clf', type: 'sklearn LogisticRegression', features });

test('the training rows are those with the features, the name and the most rows; validation rows are held out', () => {
  const wind = model(['wind', 'rain']);
  const tables = [
    table('X_test', 100, ['wind', 'rain']), labels('y_test', 100), labels('score', 100),
    table('X_train', 300, ['wind', 'rain']), labels('y_train', 300),
    table('flights', 500, ['wind', 'rain', 'late', 'id']), table('X', 400, ['wind', 'rain']), labels('y', 400), table('prices', 900, ['price'])
  ];
  assert.equal(likelyData(wind, tables), 'X_train');
  assert.equal(likelyValidation(wind, 'X_train', tables), 'X_test');
  assert.deepEqual(['X_train', 'X_test', 'X'].map(name => likelyLabels(wind, name, tables)), ['y_train', 'y_test', 'y']);
  assert.deepEqual(labelChoices(wind, 'flights', tables), ['late', 'id']);
  assert.equal(likelyLabels(wind, 'flights', tables), '', 'of two columns nobody knows which');
  assert.equal(likelyData(wind, tables.filter(one => !/^X/.test(one.name))), 'flights');
  assert.equal(likelyData(model(['snow']), tables), '');
});

test('names of other habits are understood, and a lone column that is left is the label', () => {
  const wind = model(['wind']);
  const tables = [
    table('train_df', 80, ['wind', 'late']), table('valid_df', 20, ['wind', 'late']), table('holdout', 10, ['late', 'wind'])
  ];
  assert.equal(likelyData(wind, tables), 'train_df');
  assert.equal(likelyValidation(wind, 'train_df', tables), 'holdout');
  assert.deepEqual(['train_df', 'holdout', ''].map(name => likelyLabels(wind, name, tables)), ['late', 'late', '']);
  const arrays = [table('Xt', 9, []), table('X_train', 9, []), labels('y_train', 9), table('frame', 50, ['wind'])];
  assert.equal(likelyData(model([]), arrays), 'X_train');
  assert.equal(likelyLabels(model([]), 'X_train', arrays), 'y_train');
});

test('a registration names the labels of both tables', () => {
  const asked = { model: 'clf', name: 'delay', data: 'X', target: 'y', validated: 'X_test', outcomes: 'y_test', kind: 'ml', description: '' };
  assert.equal(registerCode(asked, true), '%modelops register clf delay --data X --target y --validated-on X_test --outcomes y_test');
  assert.equal(registerCode({ ...asked, validated: '' }, true), '%modelops register clf delay --data X --target y');
});
