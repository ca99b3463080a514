/** Any damage is either harmless, or told; nothing half written passes for whole. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { StoreError } from '../../src/store/errors.ts';
import { begin, key, storeWithStage } from '../toy/store.ts';

/** A byte flipped, a cut, or bytes put in. */
const damage = fc.oneof(
  fc.record({ kind: fc.constant('flip' as const), at: fc.nat(), by: fc.integer({ min: 1, max: 255 }) }),
  fc.record({ kind: fc.constant('cut' as const), at: fc.nat() }),
  fc.record({ kind: fc.constant('insert' as const), at: fc.nat(), bytes: fc.uint8Array({ minLength: 1, maxLength: 4 }) }),
);
type Damage = typeof damage extends fc.Arbitrary<infer D> ? D : never;

function spoil(bytes: Buffer, d: Damage): Buffer {
  const at = d.at % Math.max(1, bytes.length);
  if (d.kind === 'cut') return bytes.subarray(0, at);
  if (d.kind === 'insert') return Buffer.concat([bytes.subarray(0, at), d.bytes, bytes.subarray(at)]);
  const copy = Buffer.from(bytes);
  copy[at] = copy[at]! ^ d.by;
  return copy;
}

test('a damaged checkpoint is never used', async () => {
  const { store } = storeWithStage();
  const first = await begin(store);
  const checkpoints = first.checkpoints({ every: 0, warn: () => undefined });
  const write = (dir: string): Promise<void> => Promise.resolve(writeFileSync(join(dir, 'weights'), Buffer.from(Array.from({ length: 64 }, (_, i) => i))));
  await checkpoints.save(1, write);
  await checkpoints.save(2, write);
  const file = join(first.dir, 'checkpoints', '2', 'weights');
  const whole = readFileSync(file);
  await fc.assert(
    fc.asyncProperty(damage, async d => {
      writeFileSync(file, spoil(whole, d));
      const warnings: string[] = [];
      const latest = await first.checkpoints({ every: 0, warn: w => warnings.push(w) }).latest();
      expect(latest!.step).toBe(1);
      expect(warnings).toHaveLength(1);
    }),
    { numRuns: 300 },
  );
});

test('a cut at any byte of metrics.jsonl leaves the records of the whole lines before it', async () => {
  const { store } = storeWithStage();
  const attempt = await begin(store);
  for (let step = 1; step <= 5; step++) attempt.metric({ step, epoch: step / 5, loss: 1 / step });
  const all = store.curve(key);
  const file = join(attempt.dir, 'metrics.jsonl');
  const whole = readFileSync(file);
  for (let at = 0; at <= whole.length; at++) {
    writeFileSync(file, whole.subarray(0, at));
    const lines = whole.subarray(0, at).toString().split('\n').length - 1;
    expect(store.curve(key)).toEqual(all.slice(0, lines));
  }
});

test('a damaged file of a store is read as valid, or refused by name; never a crash of another kind', async () => {
  const { store } = storeWithStage();
  const attempt = await begin(store);
  attempt.metric({ step: 1, epoch: 1, loss: 2 });
  writeFileSync(join(attempt.output, 'tree'), 'oak');
  await attempt.checkpoints({ every: 0, warn: () => undefined }).latest();
  attempt.provenance({ host: 'here' });
  await attempt.commit({ height: 1.5 });
  const files = ['attempt.json', 'worker.json', 'state.jsonl', 'metrics.jsonl', 'resumed.json', 'result.json', 'manifest.json', 'provenance.json'].map(f => join(attempt.dir, f));
  files.push(join(store.stageDir(key), 'stage.json'));
  const whole = new Map(files.map(f => [f, readFileSync(f)]));
  const result = (): unknown => store.result(key);
  const reads = [() => store.state(key), result, () => store.curve(key), () => store.stage(key), () => store.provenance(key), () => store.attempt(key, 1)];
  fc.assert(
    fc.property(fc.constantFrom(...files), damage, (file, d) => {
      writeFileSync(file, spoil(whole.get(file)!, d));
      try {
        for (const read of reads) {
          try {
            const value = read();
            // Decided numbers are the right ones or none.
            if (read === result) expect([undefined, { height: 1.5 }]).toContainEqual(value);
          } catch (error) {
            expect(error).toBeInstanceOf(StoreError);
            expect((error as StoreError).code).toBe('STORE_DAMAGED');
          }
        }
      } finally {
        writeFileSync(file, whole.get(file)!);
      }
    }),
    { numRuns: 1500 },
  );
});
