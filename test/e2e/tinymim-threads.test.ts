/**
 * What a stage comes to does not depend on the number of threads: else borrowed ones would change results. With the real engine, of every kind
 * of stage; of a single graph: test/unit/engine/compile/whole-sums.test.ts.
 * @module-tag long
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { execa } from 'execa';
import { openStoreReadOnly } from '../../src/core/store/store.ts';
import { stageBytes, stageProvenance } from '../helpers/stage-bytes.ts';
import { temporaryFolder } from '../toy/sweep.ts';

const ABLATE = fileURLToPath(new URL('../../src/cli/ablate.mjs', import.meta.url));
const EXPERIMENTS = fileURLToPath(new URL('experiments', import.meta.url));

const folder = temporaryFolder('threads');
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** One worker; losses are means of more elements than TensorFlow sums up in one thread. */
async function sweep(threads: number): Promise<string> {
  const store = join(folder, `store-${threads}`);
  const sets = ['pretrain.epochs=8', 'pretrain.batch_size=512', 'distill.epochs=8', 'distill.batch_size=512', 'distill.accumulation_steps=1', 'finetune.epochs=1'];
  await execa(process.execPath, [
    ABLATE,
    ...['sweep', '--experiments', EXPERIMENTS, '--profile', 'toy', '--only', 'tiny/relation', '--store', store, '--no-report', '--devices', `cpu:1x${threads}`],
    ...sets.flatMap(set => ['--set', set]),
  ]);
  return store;
}

function curves(store: string): Record<string, object[]> {
  const reader = openStoreReadOnly(store);
  return Object.fromEntries(reader.keys().map(key => [key, reader.curve(key).map(record => ({ ...record, images_per_second: undefined, waiting: undefined }))]));
}

it('results, curves and files of every kind of stage are the same bytes with one thread and with four', async () => {
  const [one, four] = await Promise.all([sweep(1), sweep(4)]);
  expect(Object.keys(stageBytes(four)).filter(file => file.endsWith('result.json'))).toHaveLength(6);
  expect(Object.values(stageProvenance(four))).toMatchObject(Array(6).fill({ threads: 4 }));
  expect(stageBytes(four)).toEqual(stageBytes(one));
  expect(curves(four)).toEqual(curves(one));
}, 240_000);
