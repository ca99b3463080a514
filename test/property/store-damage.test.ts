/** Damage at every byte of a curve; damage of any kind to any file is the matter of `test/fuzz`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { begin, key, storeWithStage } from '../toy/store.ts';

test('a cut at any byte of metrics.jsonl leaves the records of the whole lines before it', async () => {
  const { store } = storeWithStage();
  const attempt = await begin(store);
  for (let step = 1; step <= 5; step++) attempt.metric({ step, epoch: step / 5, loss: 1 / step });
  const all = store.curve(key);
  expect(all).toHaveLength(5);
  const file = join(attempt.dir, 'metrics.jsonl');
  const whole = readFileSync(file);
  for (let at = 0; at <= whole.length; at++) {
    writeFileSync(file, whole.subarray(0, at));
    const lines = whole.subarray(0, at).toString().split('\n').length - 1;
    expect(store.curve(key)).toEqual(all.slice(0, lines));
  }
});
