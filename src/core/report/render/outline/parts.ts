/** Short ways to write blocks; each is left out where there is nothing to show. */
import { withoutEmptyColumns, type Table } from '../../tables/results.ts';
import type { Block, Details, Face, Inline, Look, Paragraph, Voice } from './blocks.ts';

export const paragraph = (text: readonly Inline[], voice: Voice = 'plain'): Paragraph => ({ type: 'paragraph', text, voice });

/** Each sentence a paragraph. */
export const small = (sentences: readonly string[]): Paragraph[] => sentences.map(sentence => paragraph([sentence], 'small'));

/** A table with its notes below it. Columns in which no row says anything are left out, and with the last of them the table. */
export function tableOf(data: Table | undefined, look: Look): Block[] {
  const table = data === undefined ? undefined : withoutEmptyColumns(data);
  if (table === undefined || table.columns.length === 0) return [];
  return [{ type: 'table', table: { ...table, notes: [] }, look }, ...small(table.notes)];
}

/** Nothing where it would fold nothing away. */
export const details = (summary: string, blocks: readonly Block[]): Details[] => (blocks.length === 0 ? [] : [{ type: 'details', summary, blocks }]);

/** Blocks under a heading of their own; nothing where there are none. */
export const headed = (title: string, blocks: readonly Block[], id?: string): Block[] => (blocks.length === 0 ? [] : [{ type: 'heading', title, ...(id === undefined ? {} : { id }) }, ...blocks]);

export const list = (items: readonly (readonly Inline[])[]): Block[] => (items.length === 0 ? [] : [{ type: 'list', items }]);

/** Those that may stand on the face, on it alone. */
export const only = (face: Face, blocks: readonly Block[]): Block[] => blocks.flatMap(block => (block.on === undefined || block.on === face ? [{ ...block, on: face }] : []));
