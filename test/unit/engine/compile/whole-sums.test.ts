/** Numbers of a graph do not depend on the number of threads, which a process chooses once: in processes of their own. */
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { ALLOW_TYPESCRIPT } from '../../../helpers/typescript.ts';

async function valuesWith(threads: number): Promise<Record<string, string>> {
  const { stdout } = await execa(process.execPath, ['--import', ALLOW_TYPESCRIPT, join(import.meta.dirname, '../../../helpers/threads-child.ts'), String(threads)]);
  return JSON.parse(stdout) as Record<string, string>;
}

it('a graph of float32 gives the same bits with 1 and 4 threads: those of one thread without the pass', async () => {
  const [one, four] = await Promise.all([valuesWith(1), valuesWith(4)]);
  const plain = Object.entries(one).filter(([name]) => name.startsWith('plain '));
  expect(plain).toHaveLength(4);
  for (const [name, value] of plain) expect(one[name.slice('plain '.length)], name).toBe(value);
  const shared = Object.fromEntries(Object.entries(one).filter(([name]) => !name.startsWith('plain ')));
  expect(four).toEqual(shared);
}, 120_000);
