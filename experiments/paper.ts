/**
 * The published numbers, as data: `paper.json` holds one record per cell with the source it was read from. Tables 5 to 13
 * were read from a text conversion of the CVPR 2023 camera-ready; where that text left open which of two rows carries a
 * check mark, the record says so (`row_assignment_inferred`) and the report repeats it.
 */
import { UsageError, z, type Published } from 'tinymim-ablations';
import { problems, problemText } from '../src/core/ablation/problems.ts';
import data from './paper.json' with { type: 'json' };

const paperFile = z.array(
  z.strictObject({
    table: z.string(),
    row: z.string(),
    column: z.string(),
    /** Choices of a setting are a list; only numbers can be published values. */
    value: z.union([z.number(), z.string(), z.array(z.union([z.number(), z.string()]))]),
    unit: z.string(),
    source: z.string(),
    verified: z.boolean(),
    quote: z.string().optional(),
    note: z.string().optional(),
    row_assignment_inferred: z.boolean().optional(),
  }),
);
export type PaperRecord = z.infer<typeof paperFile>[number];

/** The records of a `paper.json`. @throws UsageError naming the first fields that are wrong */
export function parsePaper(value: unknown): PaperRecord[] {
  const found = problems(paperFile, value);
  if (found.length > 0) throw new UsageError('INVALID_PAPER', `paper.json: ${found.slice(0, 3).map(problemText).join('; ')}`);
  return paperFile.parse(value);
}

const paper = parsePaper(data);

/**
 * One published number.
 * @param records those of `paper.json`
 * @throws UsageError when the paper has no such cell, or when it is not a number: a typo in a declaration must not become a missing value.
 */
export function published(table: string, row: string, column = 'Top-1', records: readonly PaperRecord[] = paper): Published {
  const ofTable = records.filter(r => r.table === table);
  const [record, another] = ofTable.filter(r => r.row === row && r.column === column);
  if (record === undefined) {
    const known = ofTable.map(r => `'${r.row}' / '${r.column}'`).join(', ') || 'no record';
    throw new UsageError('NOT_PUBLISHED', `Expected a record of ${table} with row '${row}' and column '${column}' in paper.json, got none; it has ${known}.`);
  }
  if (another !== undefined) throw new UsageError('NOT_PUBLISHED', `Expected one record of ${table} with row '${row}' and column '${column}' in paper.json, got several.`);
  if (typeof record.value !== 'number') {
    throw new UsageError('NOT_PUBLISHED', `Expected a number in ${table}, row '${row}', column '${column}' of paper.json, got '${String(record.value)}'.`);
  }
  return {
    value: record.value,
    unit: record.unit,
    table,
    row,
    column,
    source: record.source,
    quote: record.quote ?? '',
    ...(record.note === undefined ? {} : { note: record.note }),
    ...(record.row_assignment_inferred === true ? { inferred: true } : {}),
  };
}
