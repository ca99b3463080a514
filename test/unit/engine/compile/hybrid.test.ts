/** The mode hybrid in a process of its own: XLA compiles clusters of element-wise ops, and training is that of a plain graph. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { modeEnvironment, type Mode } from '../../../../src/engine/compile/mode.ts';
import { ALLOW_TYPESCRIPT } from '../../../helpers/typescript.ts';

async function train(mode: Mode, dump: string): Promise<number[]> {
  const { stdout } = await execa(process.execPath, ['--import', ALLOW_TYPESCRIPT, join(import.meta.dirname, '../../../helpers/hybrid-child.ts'), mode], {
    env: { ...modeEnvironment(mode), XLA_FLAGS: `--xla_dump_to=${dump}` },
  });
  return JSON.parse(stdout) as number[];
}

it('trains as graph does, with clusters that XLA compiled', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hybrid-'));
  try {
    const graph = await train('graph', folder);
    expect(readdirSync(folder)).toEqual([]);
    const hybrid = await train('hybrid', folder);
    expect(readdirSync(folder).length).toBeGreaterThan(0);
    const norm = (values: number[]): number => Math.hypot(...values);
    expect(norm(hybrid.map((value, i) => value - graph[i]!)) / norm(graph)).toBeLessThan(1e-4);
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 120_000);
