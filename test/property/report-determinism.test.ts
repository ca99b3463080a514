import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { buildReport } from '../../src/core/report/model/build.ts';
import { comparePairs, countOrder, difference, type Replicates } from '../../src/core/report/statistics/compare.ts';
import { escapeMarkdown } from '../../src/core/report/render/markdown.ts';
import { escapeMarkup } from '../../src/core/report/render/html/markup.ts';
import { cutCurve, parseRecords, serializeRecords, type ReportRecord } from '../../src/core/report/records/records.ts';
import { renderReport } from '../../src/core/report/write.ts';
import { sampleInput, sampleRecords } from '../helpers/report/sample.ts';

const records = sampleRecords([0, 1]);

/** An order of the records, as places, so that a counterexample stays short; `mirrored`: fields and uses reversed too. */
const places = records.map((_, i) => i);
const orders = fc.record({ order: fc.shuffledSubarray(places, { minLength: places.length }), mirrored: fc.boolean() });
type Order = { readonly order: readonly number[]; readonly mirrored: boolean };
const inOrder = ({ order, mirrored }: Order): ReportRecord[] => order.map(i => (mirrored ? reorder(records[i]!) : records[i]!));

const reversed = <V>(object: Readonly<Record<string, V>>): Record<string, V> => Object.fromEntries(Object.entries(object).reverse());
const reorder = (record: ReportRecord): ReportRecord =>
  reversed<unknown>({ ...record, uses: [...record.uses].reverse(), result: reversed(record.result), curves: reversed(record.curves) }) as ReportRecord;

let expected: ReadonlyMap<string, string>;
beforeAll(async () => {
  expected = await renderReport({ ...sampleInput([0, 1]), records });
});

test('the same records in any order give the same bytes', async () => {
  await fc.assert(
    fc.asyncProperty(orders, async order => {
      expect(await renderReport({ ...sampleInput([0, 1]), records: inOrder(order) })).toEqual(expected);
    }),
    { numRuns: 5 },
  );
});

test('a report comes back from its own records', async () => {
  const again = parseRecords(expected.get('results.jsonl')!);
  expect(await renderReport({ ...sampleInput([0, 1]), records: again })).toEqual(expected);
});

test('the report is unmoved by records that no shown arm uses', () => {
  const stray: ReportRecord = { ...records[0]!, key: 'stray', uses: [{ ablation: 'another', arm: 'a', seed: 9, role: 'evaluate' }] };
  const report = buildReport({ ...sampleInput([0, 1]), records: [...records, stray] });
  expect(report.ablations).toEqual(buildReport({ ...sampleInput([0, 1]), records }).ablations);
  expect(report.seeds).toEqual({ declared: [0, 1], measured: [0, 1], extra: [] });
});

test('any subset of records gives a report, and counts add up', () => {
  fc.assert(
    fc.property(fc.subarray(places), chosen => {
      const subset = chosen.map(i => records[i]!);
      const { arms, order, ablations } = buildReport({ ...sampleInput([0, 1]), records: subset });
      expect(arms.done + arms.partial + arms.failed + arms.missing).toBe(arms.total);
      // Five arms of Table 7 make ten pairs; a pair is not measured or one of the five outcomes.
      expect(order.same + order.opposite + order.withinNoise + order.oneSeed + order.publishedNoise + order.notMeasured).toBe(10);
      expect(ablations[0]!.rows).toHaveLength(6);
    }),
  );
});

test('records survive their file', () => {
  fc.assert(
    fc.property(orders, order => {
      expect(serializeRecords(parseRecords(serializeRecords(inOrder(order))))).toBe(serializeRecords(records));
    }),
    { numRuns: 20 },
  );
});

const replicates = fc
  .uniqueArray(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.double({ min: 0, max: 1, noNaN: true })), { selector: ([seed]) => seed, minLength: 1 })
  .map((list): Replicates => new Map(list.map(([seed, value]) => [seed, { value, standardError: 0.01 }])));

test('a difference changes sign with its sides, and so does nothing else', () => {
  fc.assert(
    fc.property(replicates, replicates, (a, b) => {
      const [ab, ba] = [difference(a, b), difference(b, a)];
      expect(ab === undefined).toBe(ba === undefined);
      fc.pre(ab !== undefined && ba !== undefined);
      expect(ab.value).toBeCloseTo(-ba.value, 12);
      expect(ab.standardError).toBeCloseTo(ba.standardError, 12);
      expect(
        countOrder(
          comparePairs(
            [
              { what: 'a', published: 1, replicates: a },
              { what: 'b', published: 2, replicates: b },
            ],
            0,
          ),
        ),
      ).toEqual(
        countOrder(
          comparePairs(
            [
              { what: 'b', published: 2, replicates: b },
              { what: 'a', published: 1, replicates: a },
            ],
            0,
          ),
        ),
      );
    }),
  );
});

test('a cut curve keeps the mean where windows are equal, its end, and its order', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 1, max: 100 }), (length, limit) => {
      const curve = Array.from({ length }, (_, i): [number, number] => [i, Math.sin(i)]);
      const cut = cutCurve(curve, limit);
      expect(cut).toHaveLength(Math.min(length, limit));
      expect(cut.at(-1)![0]).toBe(length - 1);
      expect(cut.every(([epoch], i) => i === 0 || epoch > cut[i - 1]![0])).toBe(true);
      if (length % limit === 0) expect(cut.reduce((s, p) => s + p[1], 0) / cut.length).toBeCloseTo(curve.reduce((s, p) => s + p[1], 0) / length, 4);
    }),
  );
});

test('escaped text holds no character that starts markup', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      expect(escapeMarkup(text)).not.toMatch(/[<>"']/);
      expect(escapeMarkdown(text)).not.toMatch(/(?<!\\)[|`*_[\]~]|[<>@$]/);
    }),
  );
});
