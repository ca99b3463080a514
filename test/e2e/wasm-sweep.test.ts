/** Sweeps without native code, with the real program and real workers: same seed, same bytes, and never mixed in silence. */
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attemptCounts, stageBytes, stageProvenance, testedItems } from '../helpers/stage-bytes.ts';

const ABLATE = fileURLToPath(new URL('../../src/cli/ablate.mjs', import.meta.url));
const EXPERIMENTS = fileURLToPath(new URL('experiments', import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ablate-wasm-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const sweep = (store: string, engine: 'native' | 'wasm', { arm, profile = 'grid', more = [] }: { arm: string; profile?: string; more?: readonly string[] }) =>
  execa(process.execPath, [ABLATE, 'sweep', '--experiments', EXPERIMENTS, '--profile', profile, '--only', arm, '--store', store, '--reports', `${store}-reports`, '--devices', 'cpu:2x1', ...more], {
    reject: false,
    all: true,
    cwd: folder,
    env: { ENGINE: engine },
    detached: true,
  });

const done = (all: string | undefined): number => Number(/(\d+) stages? done in/.exec(all ?? '')?.[1]);

/** Whether a stage has a checkpoint. */
function checkpointIn(store: string): boolean {
  try {
    return readdirSync(join(folder, store, 'stages'), { recursive: true, encoding: 'utf8' }).some(file => file.endsWith('progress.json'));
  } catch {
    return false; // no stage has begun, or a folder went while it was read: the next look is soon
  }
}

let first: ReturnType<typeof sweep> | undefined;
/** The store `whole`, to which nothing happened. */
const firstSweep = (): ReturnType<typeof sweep> => (first ??= sweep('whole', 'wasm', { arm: 'tiny' }));

describe('ENGINE=wasm ablate sweep', () => {
  it('computes every number on WebAssembly, and says so', async () => {
    const { exitCode, all } = await firstSweep();
    expect(exitCode, all).toBe(0);
    expect(done(all)).toBe(11);
    const engines = Object.values(stageProvenance(join(folder, 'whole'))).map(({ stage }) => stage['engine']);
    expect(engines).toHaveLength(11);
    for (const engine of engines) expect(engine).toMatchObject({ name: 'wasm', mode: 'eager', precision: 'float32', threads: 1, device: 'cpu' });
    const tested = testedItems(join(folder, 'whole'));
    expect(tested).toHaveLength(4);
    for (const { correct, ofItems } of tested) expect(ofItems).toEqual({ correct, count: 32 });
    expect(readFileSync(join(folder, 'whole-reports/grid/provenance.json'), 'utf8')).toContain('"name": "wasm"');
    expect(readFileSync(join(folder, 'whole-reports/grid/README.md'), 'utf8')).not.toContain('different engines');
  });

  it('ends with the same bytes after SIGKILL in the middle', { tags: 'long' }, async () => {
    expect((await firstSweep()).exitCode).toBe(0);
    const running = sweep('killed', 'wasm', { arm: 'tiny', more: ['--checkpoint-every', '0.01', '--no-report'] });
    while (!checkpointIn('killed')) await sleep(50);
    process.kill(-running.pid!, 'SIGKILL');
    await running;
    const { exitCode, all } = await sweep('killed', 'wasm', { arm: 'tiny', more: ['--no-report'] });
    expect(exitCode, all).toBe(0);
    expect(Math.max(...attemptCounts(join(folder, 'killed')))).toBeGreaterThan(1);
    expect(stageBytes(join(folder, 'killed'))).toEqual(stageBytes(join(folder, 'whole')));
  });

  it('flags a table that mixes engines', { tags: 'long' }, async () => {
    const native = await sweep('mixed', 'native', { arm: 'tiny/scratch', more: ['--no-report'] });
    expect(native.exitCode, native.all).toBe(0);
    const { exitCode, all } = await sweep('mixed', 'wasm', { arm: 'tiny' });
    expect(exitCode, all).toBe(0);
    expect(done(all)).toBe(9); // what was computed elsewhere counts
    expect(readFileSync(join(folder, 'mixed-reports/grid/README.md'), 'utf8')).toMatch(/ran on different engines.*wasm 4\.22\.0, eager float32/);
  });

  it('refuses bfloat16 before anything runs', async () => {
    const { exitCode, all } = await sweep('never', 'wasm', { arm: 'tiny', more: ['--set', 'engine.precision=bfloat16'] });
    expect(exitCode).toBe(2);
    expect(all).toMatch(/expected float32 on WebAssembly.*got bfloat16.*ENGINE=native/);
  });
});
