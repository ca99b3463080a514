/** Pictures out of results: shown by arm, with words beside them; what is no small PNG is none. */
import { describe, expect, test } from 'vitest';
import type { Study } from '../../../../src/core/ablation/declaration.ts';
import { buildReport } from '../../../../src/core/report/model/build.ts';
import type { ReportRecord } from '../../../../src/core/report/records/records.ts';
import { renderHtml } from '../../../../src/core/report/render/html/html.ts';
import { renderMarkdown } from '../../../../src/core/report/render/markdown.ts';
import { accuracyRecords, claimAblation } from '../../../helpers/report/claims.ts';
import { sampleStudy } from '../../../helpers/report/sample.ts';

/** As far as a reader of addresses looks: the head of a PNG of this size. */
function png(width: number, height = width): string {
  const size = Buffer.alloc(8);
  size.writeUInt32BE(width);
  size.writeUInt32BE(height, 4);
  return `data:image/png;base64,${Buffer.concat([Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), size, Buffer.from([4, 3])]).toString('base64')}`;
}

const study: Study = {
  ...sampleStudy,
  report: {
    ...sampleStudy.report,
    pictures: [
      {
        title: 'Test scenes',
        rows: ['1', '2'],
        about: { role: 'scenes', prefix: 'about_' },
        shared: [{ role: 'scenes', prefix: 'image_', label: 'Image' }],
        own: [
          { role: 'evaluate', prefix: 'prediction_' },
          { role: 'later', prefix: 'late_' },
        ],
        legend: p => `Scenes of ${p.name}.`,
        colours: p => [{ label: `Background of ${p.name}`, colour: [60, 70, 80] }],
      },
    ],
  },
};

const scenes = (uses: ReportRecord['uses'], result: ReportRecord['result']): ReportRecord => ({
  key: 'scenes',
  kind: 'scenes',
  seed: 0,
  state: 'done',
  uses,
  result,
  cost: { labelledImages: 0, unlabelledImages: 0, flops: 0 },
  curves: {},
});

function reportOf(prediction: (arm: string, seed: number, row: string) => string | number) {
  const measured = accuracyRecords({ 'x/a': [null, 0.7, 0.8], 'x/b': [null, 0.6, 0.7], 'x/c': [] }).map(record => {
    const { arm, seed } = record.uses[0]!;
    return { ...record, result: { ...record.result, prediction_1: prediction(arm, seed, '1'), prediction_2: prediction(arm, seed, '2') } };
  });
  const uses = measured.map(({ uses: [use] }) => ({ ...use!, role: 'scenes' }));
  const shown = scenes(uses, { image_1: png(3), image_2: png(4), about_1: 'a bag <over> a coat', about_2: 7 });
  return buildReport({ study, profile: { name: 'sample', seeds: [1, 2] }, ablations: [claimAblation('x', ['a', 'b', 'c'], [])], records: [...measured, shown] });
}

describe('pictures', () => {
  test('stand by row and arm, of the first seed that counts, with words for who does not see them', () => {
    const report = reportOf((arm, seed, row) => png(10 * seed + (arm === 'a' ? 1 : 2), Number(row)));
    const [table] = report.ablations[0]!.pictures;
    expect(table!.columns).toEqual(['Image', 'A', 'B']);
    expect(table!.rows.map(({ cells }) => cells.map(cell => [cell?.width, cell?.height, cell?.alt]))).toEqual([
      [
        [3, 3, 'Image 1: a bag <over> a coat'],
        [11, 1, 'A, 1'],
        [12, 1, 'B, 1'],
      ],
      [
        [4, 4, 'Image 2'],
        [11, 2, 'A, 2'],
        [12, 2, 'B, 2'],
      ],
    ]);
    const page = renderHtml(report, new Map());
    expect(page).toContain('img-src data:; base-uri');
    expect(page).toContain(`<img src="${png(3)}" alt="Image 1: a bag &lt;over&gt; a coat" width="96" height="96">`);
    expect(page).toContain('<h3>Test scenes</h3>');
    expect(page).toContain('Scenes of sample.');
    expect(page).toMatch(/<li><svg [^>]*aria-hidden="true"><rect [^>]*fill="rgb\(60,70,80\)"\/><\/svg>Background of sample<\/li>/);
    // What arms are compared with stays in sight.
    expect(page.match(/<t[hd][^>]* class="kept"/g)).toHaveLength(3);
    expect(renderMarkdown(report, new Map())).not.toContain('data:');
  });

  test.each([
    ['another form', 'data:image/svg+xml;base64,PHN2Zy8+'],
    ['an address', 'https://example.org/x.png'],
    ['more behind it', `${png(4)}" onerror="alert(1)`],
    ['other bytes', `data:image/png;base64,${Buffer.alloc(40, 7).toString('base64')}`],
    ['no bytes', 'data:image/png;base64,'],
    ['a huge picture', png(2000)],
    ['no area', png(4, 0)],
    ['a long text', `${png(4).slice(0, -4)}${'A'.repeat(40_000)}`],
    ['a number', 4],
  ])('%s is no picture', (_, value) => {
    const report = reportOf((arm, _seed, row) => (arm === 'a' && row === '1' ? value : png(5)));
    expect(report.ablations[0]!.pictures[0]!.rows.map(({ cells }) => cells.map(cell => cell !== undefined))).toEqual([
      [true, false, true],
      [true, true, true],
    ]);
    expect(renderHtml(report, new Map()).match(/<img /g)).toHaveLength(5);
  });

  test('are of the first place that an arm has', () => {
    const [measured, ...others] = accuracyRecords({ 'x/a': [null, 0.7], 'x/b': [null, 0.6] });
    const { uses } = others[0]!;
    const later = { ...scenes(uses.map(use => ({ ...use, role: 'later' })), { late_1: png(7) }), key: 'later' }; // prettier-ignore
    const records = [{ ...measured!, result: { ...measured!.result, prediction_1: png(5) } }, later];
    const report = buildReport({ study, profile: { name: 'sample', seeds: [1] }, ablations: [claimAblation('x', ['a', 'b'], [])], records });
    expect(report.ablations[0]!.pictures[0]!.rows[0]!.cells.map(cell => [cell?.alt, cell?.width])).toEqual([[undefined, undefined], ['A, 1', 5], ['B, 1', 7]]); // prettier-ignore
  });

  test('a report without any is as before', () => {
    const report = buildReport({ study, profile: { name: 'sample', seeds: [0] }, ablations: [claimAblation('x', ['a'], [])], records: accuracyRecords({ 'x/a': [] }) });
    expect(report.ablations[0]!.pictures).toEqual([]);
    expect(renderHtml(report, new Map())).not.toContain('img-src');
  });
});
