import { describe, expect, it } from 'vitest';
import { reportFolder } from '../../../../src/core/report/folder.ts';

describe('the folder of a report', () => {
  it('is the profile, and beside it for a changed one', () => {
    expect(reportFolder('reports', 'mini', [])).toBe('reports/mini');
    expect(reportFolder('reports', 'mini', ['distill.schedule.epochs=5', 'labelled_images=1024'])).toBe('reports/mini+distill.schedule.epochs-5+labelled_images-1024');
  });

  it('differs wherever the overrides differ, is never long, and is one path', () => {
    const lists = [['a="x y"'], ['a="x_y"'], ['a=[1,2]'], ['a=["1_2"]'], ['a="../../etc"'], [`a=${'1'.repeat(300)}`], [`a=${'1'.repeat(301)}`], ['a=-1'], ['a=1']];
    const folders = lists.map(list => reportFolder('r', 'mini', list));
    expect(new Set(folders).size).toBe(lists.length);
    for (const folder of folders) {
      expect(folder.split('/')).toHaveLength(2);
      expect(folder.length).toBeLessThan(120);
      expect(folder).toMatch(/^r\/mini\+[\w.+-]+$/);
    }
  });
});
