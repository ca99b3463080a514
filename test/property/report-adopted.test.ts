/** Numbers from elsewhere: in whichever order reports are merged, and lines are read, the bytes are the same. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { buildReport } from '../../src/core/report/model/build.ts';
import { parseAdoption } from '../../src/core/report/adopt.ts';
import { adoptedPlace, joinAdopted, LONGEST_NOTE, parseAdopted, serializeAdopted, type AdoptedNumber } from '../../src/core/report/records/adopted.ts';
import { RecordError } from '../../src/core/report/records/records.ts';
import { renderReport } from '../../src/core/report/write.ts';
import { oneLine, shorten } from '../../src/core/text/clean.ts';
import { sampleInput } from '../helpers/report/sample.ts';

const ARMS = ['scratch', 'mae', 'qk-vv', 'gone'];
/** As an adopted note is: cleaned, and not empty. */
const notes = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
  .map(text => oneLine(shorten(text, LONGEST_NOTE)))
  .filter(note => note !== '' && note === oneLine(note));

const numbers = fc.array(
  fc.record({
    ablation: fc.constantFrom('relation', 'gone'),
    arm: fc.constantFrom(...ARMS),
    metric: fc.constant('accuracy'),
    seed: fc.option(fc.nat(3)),
    value: fc.double({ min: 0, max: 1, noNaN: true }).map(value => value + 0),
    note: fc.oneof(fc.constantFrom('a', 'b'), notes),
  }),
  { maxLength: 12 },
);

/** One value for each place. */
const agreeing = numbers.map((list): AdoptedNumber[] => [...new Map(list.map(number => [adoptedPlace(number), number])).values()]);

test('any partition of the numbers, merged in any order, gives the same bytes', () => {
  fc.assert(
    fc.property(
      agreeing.chain(list => fc.tuple(fc.constant(list), fc.array(fc.nat(2), { minLength: list.length, maxLength: list.length }), fc.shuffledSubarray([0, 1, 2], { minLength: 3 }), fc.subarray(list))),
      ([list, shares, order, twice]) => {
        const parts = order.map(part => list.filter((_, i) => shares[i] === part));
        const oneByOne = parts.reduce<AdoptedNumber[]>((report, part) => joinAdopted(report, part), []);
        const text = serializeAdopted(list);
        expect(serializeAdopted(oneByOne)).toBe(text);
        // As git unites them: lines of both, some twice.
        expect(serializeAdopted(parseAdopted([...parts.map(part => serializeAdopted(part) ?? ''), serializeAdopted(twice) ?? ''].join('')))).toBe(text);
      },
    ),
  );
});

test('numbers that disagree are refused in whichever order, with one message', () => {
  const told = (...lists: AdoptedNumber[][]): string => {
    try {
      joinAdopted(...lists);
    } catch (error) {
      if (error instanceof RecordError) return error.message;
      throw error;
    }
    return '';
  };
  fc.assert(
    fc.property(agreeing, fc.nat(), (list, at) => {
      fc.pre(list.length > 0);
      const changed = list[at % list.length]!;
      const others = [{ ...changed, value: changed.value === 0.5 ? 0.25 : 0.5 }];
      expect(told(list, others)).toContain('Expected one value from elsewhere');
      expect(told(others, list)).toBe(told(list, others));
    }),
  );
});

test('a report with them comes back from its own files, in any order of lines', async () => {
  await fc.assert(
    fc.asyncProperty(
      agreeing.chain(list => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
      async ([list, shuffled]) => {
        const files = await renderReport({ ...sampleInput(), adopted: list });
        expect(await renderReport({ ...sampleInput(), adopted: shuffled })).toEqual(files);
        expect(await renderReport({ ...sampleInput(), adopted: parseAdopted(files.get('adopted.jsonl')) })).toEqual(files);
        expect(files.has('adopted.jsonl')).toBe(list.length > 0);
      },
    ),
    { numRuns: 2 },
  );
});

test('what a file of percent says is what the table shows', () => {
  const { study, profile, ablations, records } = sampleInput();
  fc.assert(
    fc.property(fc.integer({ min: 101, max: 10_000 }), fc.option(fc.nat(2 ** 32 - 1)), notes, (hundredths, seed, note) => {
      const value = (hundredths / 100).toFixed(2);
      const text = `ablation,arm,seed,metric,value,note\nrelation,mae,${seed ?? ''},accuracy,${value},"${note.replaceAll('"', '""')}"\n`;
      const [number] = parseAdoption(text, 'f.csv', { study, profile, ablations, records, adopted: [] });
      expect(number).toEqual({ ablation: 'relation', arm: 'mae', metric: 'accuracy', seed, value: Number((hundredths / 10_000).toPrecision(15)), note });
      const row = buildReport({ ...sampleInput(), adopted: [number!] }).ablations[0]!.rows.find(({ name }) => name === 'mae')!;
      expect((100 * row.elsewhere[0]!.mean).toFixed(2)).toBe(value);
    }),
    { numRuns: 50 },
  );
});
