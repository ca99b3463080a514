import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { listAblations } from '../../../../../src/core/ablation/folder.ts';
import { refuseSharedFiles, reportFiles } from '../../../../../src/core/report/model/file-names.ts';
import tinymim from '../../../../../src/tinymim/study.ts';
import toy from '../../../../toy/experiments/study.ts';

const ROOT = fileURLToPath(new URL('../../../../..', import.meta.url));

test.each(['mini'])('every table and chart of the committed report %s is foreseen', profile => {
  const foreseen = new Set(reportFiles(listAblations(join(ROOT, 'experiments')), tinymim).map(([file]) => file));
  const written = ['tables', 'figures'].flatMap(folder => readdirSync(join(ROOT, 'reports', profile, folder)).map(name => `${folder}/${name.replace(/\.\w+$/, '')}`));
  expect(written.length).toBeGreaterThan(30);
  expect(written.filter(file => !foreseen.has(file))).toEqual([]);
});

describe('two ablations that want one file', () => {
  test.each([
    [['x', 'claims'], "got tables/claims of the report itself and of ablation 'claims'. Rename ablation 'claims'"],
    [['recipes'], 'tables/recipes'],
    [['ablations'], 'tables/ablations'],
    [['x', 'x-curves'], "got tables/x-curves of ablation 'x' and of ablation 'x-curves'"],
    [['x', 'x-plain'], "got tables/x-plain of ablation 'x' and of ablation 'x-plain'"],
    [['v1-2', 'v1.2'], "got tables/v1-2 of ablation 'v1-2' and of ablation 'v1.2'"],
  ])('%j', (names, message) => {
    expect(() => refuseSharedFiles(names, toy)).toThrow(message);
  });

  test('of charts', () => {
    const curves = [
      { role: 'tree', metric: 'height', title: 't' },
      { role: 'old-tree', metric: 'height', title: 't' },
    ];
    const study = { report: { ...toy.report, curves } };
    expect(() => refuseSharedFiles(['oak', 'oak-old'], study)).toThrow("got figures/oak-old-tree-height of ablation 'oak' and of ablation 'oak-old'");
    expect(() => refuseSharedFiles(['oak', 'oak-curves'], { report: { ...toy.report, curves: [] } })).not.toThrow();
  });
});
