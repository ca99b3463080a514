/** The results that the paper prints in Tables 1 to 13, each as the published value of an arm or as a row that is never run. */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import paper from '../../../experiments/paper.json' with { type: 'json' };
import { published } from '../../../experiments/paper.ts';
import type { Published } from '../../../src/core/ablation/declaration.ts';
import { loadExperiments } from '../../../src/core/ablation/load.ts';
import { publishedFor } from '../../../src/core/ablation/measures.ts';
import { measures } from '../../../src/tinymim/measures.ts';

const OWN = fileURLToPath(new URL('../../../experiments', import.meta.url));
/** What a table says of its rows beside their results. */
const SETTINGS: ReadonlySet<string> = new Set(['Params (M)', 'FLOPs (G)', 'Pre-training epochs', 'DPR teacher', 'DPR student']);

const { ablations } = await loadExperiments(OWN, { profile: 'smoke' });
const shown = ablations.flatMap(({ declaration: { arms, references = [], measures: [first = 'accuracy'] = [] } }) =>
  [...arms, ...references].flatMap(row => ['accuracy', ...Object.keys(measures)].flatMap(measure => publishedFor(row.published, measure, first) ?? [])),
);
const cell = ({ table, row, column }: Pick<Published, 'table' | 'row' | 'column'>): string => `${table}: ${row}, ${column}`;
const results = paper.filter(({ table, row, column, value }) => /^Table \d+$/.test(table) && typeof value === 'number' && !SETTINGS.has(column) && row !== 'Gap');

describe('the published results', () => {
  it('stand in ablations, all of every table', () => {
    expect(new Set(results.map(({ table }) => table)).size).toBe(13);
    const there = new Set(shown.map(cell));
    // Table 3 has the same two numbers of the same model.
    expect(results.map(cell).filter(each => !there.has(each))).toEqual(['Table 1: TinyMIM*-T, Top-1', 'Table 1: TinyMIM*-T, mIoU']);
    const star = 'ViT-T: TinyMIM* (1000-epoch DeiT-style KD fine-tune)';
    expect([published('Table 1', 'TinyMIM*-T').value, published('Table 1', 'TinyMIM*-T', 'mIoU').value]).toEqual([
      published('Table 3', star).value,
      published('Table 3', star, 'mIoU with intermediate IN-1K fine-tuning').value,
    ]);
  });

  it('have the parameters and FLOPs of Table 1 beside them', () => {
    const { references = [], footnotes = [] } = ablations.find(({ declaration: { name } }) => name === 'headline')!.declaration;
    for (const { row, value } of paper.filter(({ table, column }) => table === 'Table 1' && column === 'Params (M)')) {
      const flops = published('Table 1', row, 'FLOPs (G)').value;
      const text = row === 'TinyMIM*-T' ? footnotes.join(' ') : references.find(({ label }) => label === `${row} (Table 1)`)?.note;
      expect(text).toContain(`${(value as number).toFixed(1)} M parameters, ${flops.toFixed(1)} GFLOPs`);
    }
  });
});
