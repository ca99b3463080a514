import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Exporting } from '../../../src/core/ablation/kind.ts';

/** A tree goes out with a label that says where it grew. */
export const nursery: Exporting = {
  formats: { nursery: '.json', garden: '.txt' },
  load: () =>
    Promise.resolve(async ({ recipe, format, output, path, origin }) => {
      const { height } = JSON.parse(await readFile(join(output, 'tree.json'), 'utf8')) as { height: number };
      await writeFile(path, JSON.stringify({ height, recipe, ...origin }), { flag: 'wx' });
      return { usage: [`plant('${path}')`], notes: [`Water it in the ${format}.`] };
    }),
};
