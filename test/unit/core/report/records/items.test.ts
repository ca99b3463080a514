import { describe, expect, it } from 'vitest';
import { hashOfItems, itemsOf, joinItems, serializeItems } from '../../../../../src/core/report/records/items.ts';
import { parseMergedRecords, parseRecords, serializeRecords, type ReportRecord } from '../../../../../src/core/report/records/records.ts';
import { packItems } from '../../../../../src/core/store/items.ts';
import { sampleRecords } from '../../../../helpers/report/sample.ts';

const bits = (seed: number): boolean[] => Array.from({ length: 21 }, (_, i) => (i * (seed + 3)) % 5 < 2);
const withItems = (record: ReportRecord, right: readonly boolean[]): ReportRecord => {
  const bytes = packItems(right);
  return { ...record, itemsSha256: hashOfItems(bytes), items: Buffer.from(bytes).toString('base64') };
};
const records = sampleRecords().map((record, i) => (record.kind === 'evaluate' ? withItems(record, bits(i)) : record));
const tested = records.filter(({ items }) => items !== undefined);
const text = serializeItems(records)!;
const rest = parseRecords(serializeRecords(records));

describe('items.jsonl', () => {
  it('has one line for each stage that tells of its items, in order of keys, and comes back whole; records have a hash of it alone', () => {
    const keys = text
      .trimEnd()
      .split('\n')
      .map(line => (JSON.parse(line) as { key: string }).key);
    expect(keys).toEqual(tested.map(({ key }) => key).sort());
    expect(serializeRecords(records)).not.toContain(tested[0]!.items!);
    const { records: joined, damaged } = joinItems(rest, text);
    expect(damaged).toEqual([]);
    expect(serializeItems(joined)).toBe(text);
    const [first] = tested;
    expect(itemsOf(joined.find(({ key }) => key === first!.key)!)).toEqual(itemsOf(first!));
  });

  it('is not there where no record has items, as in reports of older versions', () => {
    const old = sampleRecords();
    expect(serializeItems(old)).toBeUndefined();
    expect(joinItems(old, undefined)).toEqual({ records: old, damaged: [] });
  });

  it('keeps what git united: lines that stand twice, of both sides, out of order, between marks of a conflict', () => {
    const lines = text.trimEnd().split('\n');
    const other = JSON.stringify({ key: tested[0]!.key, items: Buffer.from(packItems([true])).toString('base64') });
    const stray = JSON.stringify({ key: 'f'.repeat(32), items: 'AAAA' });
    const { records: joined, damaged } = joinItems(rest, ['<<<<<<< ours', ...lines.toReversed(), other, '=======', ...lines, stray, '>>>>>>> theirs'].join('\n'));
    expect([serializeItems(joined), damaged]).toEqual([text, []]);
  });

  it.each<[string, (text: string) => string, RegExp]>([
    ['another bit', all => all.replace(tested[0]!.items!, Buffer.from(packItems(bits(99))).toString('base64')), /do not have the SHA-256/],
    ['another spelling of the same bytes', all => all.replace(tested[0]!.items!, tested[0]!.items!.replace(/=*$/, '') + '\\n'), /do not have the SHA-256/],
    [
      'a line that is gone',
      all =>
        all
          .split('\n')
          .filter(line => !line.includes(tested[0]!.key))
          .join('\n'),
      /are missing/,
    ],
    ['no file', () => '', /are missing/],
  ])('tells of %s, and uses none of it', (_, damage, said) => {
    const { records: joined, damaged } = joinItems(rest, damage(text));
    expect(damaged.find(sentence => said.test(sentence) && sentence.includes(tested[0]!.key.slice(0, 12)))).toContain(
      `evaluate of relation/${tested[0]!.uses[0]!.arm}, seed 0 (${tested[0]!.key.slice(0, 12)})`,
    );
    const record = joined.find(({ key }) => key === tested[0]!.key)!;
    expect([record.items, record.itemsSha256, record.result]).toEqual([undefined, undefined, tested[0]!.result]);
  });

  it('a record that vouches for items joins one of an older version that does not, in either order; two that differ are refused', () => {
    const [record] = tested;
    const line = (more: Partial<ReportRecord>): string => JSON.stringify({ ...record!, items: undefined, ...more });
    const lines = [line({}), line({ itemsSha256: undefined })];
    for (const merged of [lines, lines.toReversed()]) expect(parseMergedRecords(merged.join('\n'))).toMatchObject([{ key: record!.key, itemsSha256: record!.itemsSha256 }]);
    expect(() => parseMergedRecords([line({}), line({ itemsSha256: 'a'.repeat(64) })].join('\n'))).toThrow('got different itemsSha256');
  });
});
