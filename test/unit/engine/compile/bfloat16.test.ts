/** What TensorFlow makes of products of bfloat16, in processes of their own. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ALLOW_TYPESCRIPT } from '../../../helpers/typescript.ts';

const CHILD = join(import.meta.dirname, '../../../helpers/bfloat16-child.ts');
const THREADS = [1, 2, 4] as const;

let folder: string, hashes: (readonly string[])[];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bfloat16-'));
  // The first one writes down what TensorFlow makes of its graphs.
  const dump = { TF_CPP_MIN_LOG_LEVEL: '0', TF_DUMP_GRAPH_PREFIX: folder, TF_CPP_VMODULE: 'meta_optimizer=4' };
  const children = await Promise.all(THREADS.map((threads, i) => execa(process.execPath, ['--import', ALLOW_TYPESCRIPT, CHILD, String(threads)], { env: i === 0 ? dump : {} })));
  hashes = children.map(({ stdout }) => JSON.parse(stdout) as string[]);
}, 240_000);
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('in bfloat16', () => {
  it('product, bias and GELU are one operation', () => {
    const graphs = readdirSync(folder)
      .filter(name => /^after_MetaOptimizer_\d+(_\d+)?\.pbtxt$/.test(name))
      .map(name => readFileSync(join(folder, name), 'utf8'));
    const fused = graphs.flatMap(graph => graph.split(/^node /m)).filter(node => node.includes('op: "_FusedMatMul"'));
    expect(fused.length).toBeGreaterThan(0);
    for (const node of fused) {
      expect(node).toMatch(/s: "BiasAdd"\s+s: "GeluExact"/);
      expect(node).toContain('type: DT_BFLOAT16');
    }
  });

  it('bytes do not depend on the number of threads', () => {
    expect(hashes[0]).toHaveLength(2);
    expect(hashes).toEqual(THREADS.map(() => hashes[0]));
  });
});
