/**
 * The published numbers, as data: `paper.json` holds one record per cell with the source it was read from. Tables 5 to 13
 * were read from a text conversion of the CVPR 2023 camera-ready; where that text left open which of two rows carries a
 * check mark, the record says so (`row_assignment_inferred`) and the report repeats it.
 */
import type { Published } from '../src/ablation/declaration.ts';
import records from './paper.json' with { type: 'json' };

interface PaperRecord {
  readonly table: string;
  readonly row: string;
  readonly column: string;
  readonly value: number | string;
  readonly unit: string;
  readonly source: string;
  readonly quote?: string;
  readonly note?: string;
  readonly row_assignment_inferred?: boolean;
}

/**
 * One published number.
 * @throws when the paper has no such cell, or when it is not a number: a typo in a declaration must not become a missing value.
 */
export function published(table: string, row: string, column = 'Top-1'): Published {
  const ofTable = (records as readonly PaperRecord[]).filter(r => r.table === table);
  const record = ofTable.find(r => r.row === row && r.column === column);
  if (record === undefined) {
    const known = ofTable.map(r => `'${r.row}' / '${r.column}'`).join(', ') || 'no record';
    throw new Error(`Expected a record of ${table} with row '${row}' and column '${column}' in paper.json, got none; it has ${known}.`);
  }
  if (typeof record.value !== 'number') {
    throw new Error(`Expected a number in ${table}, row '${row}', column '${column}' of paper.json, got '${record.value}'.`);
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
