import { describe, expect, test } from 'vitest';
import { cutCurve, parseMergedRecords, parseRecords, serializeRecords, sortRecords, type CurvePoint, type ReportRecord } from '../../../../../src/core/report/records/records.ts';
import { oneLine, redact, shorten, slug } from '../../../../../src/core/text/clean.ts';
import { sampleRecords } from '../../../../helpers/report/sample.ts';

describe('results.jsonl', () => {
  test('reads back what was written, one record a line', () => {
    const text = serializeRecords(sampleRecords([0, 1]));
    expect(text.split('\n')).toHaveLength(sampleRecords([0, 1]).length + 1);
    expect(serializeRecords(parseRecords(text))).toBe(text);
  });

  test('a result changes one line', () => {
    const records = sampleRecords();
    const lines = serializeRecords(records).split('\n');
    const changed = records.map(r => (r.kind === 'evaluate' && r.uses[0]!.arm === 'mae' ? { ...r, result: { ...r.result, accuracy: 0.5 } } : r));
    expect(
      serializeRecords(changed)
        .split('\n')
        .filter((line, i) => line !== lines[i]),
    ).toHaveLength(1);
  });

  test('names the line that is not JSON, or not a record', () => {
    const [line] = serializeRecords(sampleRecords()).split('\n');
    expect(() => parseRecords(`${line}\n{`)).toThrow('Expected a JSON object on line 2 of results.jsonl');
    expect(() => parseRecords(`${line}\n\n{"key":"a"}`)).toThrow('Expected a record on line 3 of results.jsonl');
    expect(() => parseRecords(line!.replace('"kind"', '"sort"'))).toThrow('line 1');
  });

  test('refuses two records of one stage', () => {
    const [record] = sampleRecords();
    expect(() => sortRecords([record!, record!])).toThrow(`got two with key ${record!.key}`);
  });

  test('refuses two records that stand for one stage of an arm', () => {
    const [record] = sampleRecords();
    expect(() => sortRecords([record!, { ...record!, key: 'other' }])).toThrow(/Expected one record for relation\/\S+, seed 0, stage \S+, got other and [0-9a-f]+|got [0-9a-f]+ and other/);
  });
});

describe('records that git merged by lines', () => {
  const [record] = sampleRecords();
  const use = (arm: string) => ({ ablation: 'relation', arm, seed: 0, role: 'teacher' });
  const line = (more: Partial<ReportRecord>): string => JSON.stringify({ ...record!, ...more });

  test('become one where they differ in their uses only, in either order', () => {
    const lines = [line({ uses: [use('a'), use('b')] }), line({ uses: [use('b'), use('c')] })];
    for (const text of [lines.join('\n'), lines.toReversed().join('\n')]) {
      expect(serializeRecords(parseMergedRecords(text))).toBe(serializeRecords([{ ...record!, uses: [use('a'), use('b'), use('c')] }]));
    }
  });

  test('become one where one of them draws a curve that the other has no use for', () => {
    const curve: [number, number][] = [[1, 2]];
    const lines = [line({ uses: [use('a')], curves: {} }), line({ uses: [use('b')], curves: { loss: curve } })];
    for (const text of [lines, lines.toReversed()]) expect(parseMergedRecords(text.join('\n'))).toMatchObject([{ curves: { loss: curve }, uses: [{}, {}] }]);
    const other = line({ curves: { loss: [[1, 3]] } });
    expect(() => parseMergedRecords([lines[1], other].join('\n'))).toThrow('got different curves');
  });

  test('become one where one has a number that the other, of an older version, lacks; not where a number differs', () => {
    const [older, newer] = [{ loss: 0.5 }, { loss: 0.5, spread: 0.1 }].map((result, i) => line({ result, resultSha256: String(i).repeat(64) }));
    for (const text of [
      [older, newer],
      [newer, older],
    ])
      expect(parseMergedRecords(text.join('\n'))).toMatchObject([{ result: { loss: 0.5, spread: 0.1 }, resultSha256: '1'.repeat(64) }]);
    const other = line({ result: { loss: 0.6, spread: 0.1 }, resultSha256: '2'.repeat(64) });
    expect(() => parseMergedRecords([older, other].join('\n'))).toThrow('got different result, resultSha256');
  });

  test('become one where different code gave the same numbers, in either order, or where one does not know its code', () => {
    const [a, b] = ['a'.repeat(32), 'b'.repeat(32)];
    for (const [codes, code] of [
      [[a, b], a],
      [[undefined, b], b],
    ] as const) {
      const lines = codes.map(known => line({ codeHash: known }));
      for (const text of [lines.join('\n'), lines.toReversed().join('\n')]) expect(parseMergedRecords(text)).toMatchObject([{ codeHash: code }]);
    }
    expect(() => parseRecords(line({ codeHash: 'main' }))).toThrow('at codeHash');
  });

  test('are refused where they differ in anything else, which is named', () => {
    expect(() => parseMergedRecords([line({}), line({ result: { loss: 9 }, cost: { ...record!.cost, flops: 1 } })].join('\n'))).toThrow(
      `Expected the records with key ${record!.key} to differ in their uses only, got different result, cost`,
    );
  });

  test('read like any others where nothing is double', () => {
    const text = serializeRecords(sampleRecords([0, 1]));
    expect(serializeRecords(parseMergedRecords(text))).toBe(text);
  });
});

describe('cutCurve', () => {
  const line = (n: number): CurvePoint[] => Array.from({ length: n }, (_, i) => [i + 1, 2 * (i + 1)]);

  test('keeps a short curve', () => expect(cutCurve(line(100))).toEqual(line(100)));

  test('cuts to windows given by their last epoch and mean', () => {
    expect(cutCurve(line(10), 3)).toEqual([
      [3, 4],
      [6, 10],
      [10, 17],
    ]);
    const cut = cutCurve(line(1234));
    expect(cut).toHaveLength(100);
    expect(cut.at(-1)![0]).toBe(1234);
  });

  test('leaves out what is not finite and rounds the rest', () => {
    expect(
      cutCurve([
        [0.123456, 1 / 3],
        [1, NaN],
        [2, Infinity],
      ]),
    ).toEqual([[0.1235, 0.333333]]);
    expect(cutCurve([])).toEqual([]);
  });
});

describe('text of others', () => {
  test('oneLine drops controls and marks that reorder text', () => {
    expect(oneLine(' a\n\tb\u202e c\u0000d\u2028 ')).toBe('a b c d');
    expect(oneLine('QK \u2192 VV, \u00b5')).toBe('QK \u2192 VV, \u00b5');
  });

  test.each([
    ["ENOENT: no such file, open '/home/someone/data/train.gz'", "ENOENT: no such file, open '…/train.gz'"],
    ['at file:///srv/code/src/a.ts:12:3', 'at …/a.ts:12:3'],
    ['C:\\Users\\someone\\run.log is locked', '…/run.log is locked'],
    ['~/data/x.bin', '…/x.bin'],
    ['loss is 3/4 of 1/2, see src/core/text/clean.ts', 'loss is 3/4 of 1/2, see src/core/text/clean.ts'],
    ['node12 ran out of memory', 'host ran out of memory'],
  ])('redact %j', (text, expected) => expect(redact(text, 'node12')).toBe(expected));

  test('shorten and slug', () => {
    expect(shorten('abcdef', 4)).toBe('abc…');
    expect(shorten('abcd', 4)).toBe('abcd');
    expect(slug('../a b/<c>')).toBe('-a-b-c-');
  });
});
