/**
 * Which test items each stage found right, beside the records that a report is made of: `items.jsonl`, one stage a line, in order of their keys. A
 * line never changes while its result stands, so that branches merge line by line. The record vouches for it with a SHA-256: what does
 * not match is told, and never used.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { parseJson } from '../../ablation/json.ts';
import { unpackItems } from '../../store/items.ts';
import { byText, recordText, type ReportRecord } from './records.ts';

const line = z.strictObject({ key: z.string(), items: z.string() });

export const hashOfItems = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Of each item whether the stage found it right; undefined where the record does not tell. */
export const itemsOf = ({ items }: ReportRecord): boolean[] | undefined => (items === undefined ? undefined : unpackItems(Buffer.from(items, 'base64')));

/** `items.jsonl`; undefined where no record has items. */
export function serializeItems(records: readonly ReportRecord[]): string | undefined {
  const lines = records.flatMap(({ key, items }) => (items === undefined ? [] : [{ key, items }]));
  if (lines.length === 0) return undefined;
  return lines
    .sort((a, b) => byText(a.key, b.key))
    .map(each => `${JSON.stringify(each)}\n`)
    .join('');
}

export interface RecordsWithItems {
  readonly records: readonly ReportRecord[];
  /** A sentence for each record whose items are missing or not those that it vouches for: it stands here as one that has none. */
  readonly damaged: readonly string[];
}

/**
 * Records with the items of `items.jsonl`. Lines of other stages, lines that stand twice and what is no line are passed over, as a merge leaves them.
 * @param text undefined where there is no such file
 */
export function joinItems(records: readonly ReportRecord[], text: string | undefined): RecordsWithItems {
  const found = new Map<string, string[]>();
  for (const { key, items } of parseLines(text ?? '')) found.set(key, [...(found.get(key) ?? []), items]);
  const damaged: string[] = [];
  const joined = records.map(record => {
    if (record.itemsSha256 === undefined) return record;
    const lines = found.get(record.key) ?? [];
    const items = lines.find(each => isWhole(each, record.itemsSha256!));
    if (items !== undefined) return { ...record, items };
    damaged.push(`the item results of ${recordText(record)} (${record.key.slice(0, 12)}) ${lines.length === 0 ? 'are missing' : `do not have the SHA-256 of its record, ${record.itemsSha256}`}`);
    return { ...record, itemsSha256: undefined };
  });
  return { records: joined, damaged };
}

/** Base64 can be written in more than one way, and a report has one. */
function isWhole(items: string, sha256: string): boolean {
  const bytes = Buffer.from(items, 'base64');
  return bytes.toString('base64') === items && hashOfItems(bytes) === sha256 && unpackItems(bytes) !== undefined;
}

const parseLines = (text: string): z.infer<typeof line>[] =>
  text.split('\n').flatMap(each => {
    try {
      return line.safeParse(parseJson(each)).data ?? [];
    } catch {
      return [];
    }
  });
