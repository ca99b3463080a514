import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { packItems, unpackItems } from '../../../../src/core/store/items.ts';
import { begin, key, storeWithStage } from '../../../toy/store.ts';

describe('items.bin', () => {
  test('gives back the items that went in, one bit each', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 100 }), right => {
        const bytes = packItems(right);
        expect(bytes).toHaveLength(4 + Math.ceil(right.length / 8));
        expect(unpackItems(bytes)).toEqual(right);
      }),
    );
  });

  test('has one form: what any bytes are read as is written as those bytes', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 8 }),
          // As many bytes as the count needs: the last may have a bit too many.
          fc.nat({ max: 40 }).chain(count => fc.uint8Array({ minLength: Math.ceil(count / 8), maxLength: Math.ceil(count / 8) }).map(rest => Uint8Array.of(count, 0, 0, 0, ...rest))),
        ),
        bytes => {
          const right = unpackItems(bytes);
          expect([...(right === undefined ? bytes : packItems(right))]).toEqual([...bytes]);
        },
      ),
    );
  });

  test('is as it is documented', () => {
    expect([...packItems([true, false, false, true, false, false, false, false, false, true])]).toEqual([10, 0, 0, 0, 0b0000_1001, 0b0000_0010]);
  });
});

describe('a stage that tests items', () => {
  const right = Array.from({ length: 20 }, (_, i) => i % 3 === 0);

  async function tested() {
    const { store, warnings } = storeWithStage();
    const attempt = await begin(store);
    attempt.items(right);
    expect(await attempt.commit({ weight: 0.35 })).toBe(true);
    return { store, warnings, file: join(attempt.dir, 'items.bin'), manifest: join(attempt.dir, 'manifest.json') };
  }

  test('leaves them beside its result, with their hash in the manifest', async () => {
    const { store, file, manifest } = await tested();
    expect(store.items(key)).toEqual(right);
    const bytes = readFileSync(file);
    expect((JSON.parse(readFileSync(manifest, 'utf8')) as { files: object }).files).toMatchObject({ 'items.bin': { bytes: 7, sha256: createHash('sha256').update(bytes).digest('hex') } });
    expect(await store.verify(key)).toBe(true);
    store.tidy(key);
    expect(store.items(key)).toEqual(right);
  });

  test.each<[string, (file: string) => void]>([
    ['a bit is another', file => writeFileSync(file, Buffer.from(readFileSync(file)).fill(0xff, 4, 5))],
    ['the end is missing', file => truncateSync(file, 5)],
    ['they are gone', file => rmSync(file)],
    ['they are gigabytes of nothing', file => truncateSync(file, 2 ** 33)],
  ])('is not done where %s, and says so', async (_, damage) => {
    const { store, warnings, file } = await tested();
    damage(file);
    expect([store.doneAttempt(key), store.items(key)]).toEqual([undefined, undefined]);
    expect(store.damage(key)).toContain('items.bin');
    expect(await store.verify(key)).toBe(false);
    expect(warnings).toEqual([expect.stringMatching(/attempt 1 had been committed but is damaged and no longer counts: .*items\.bin/)]);
  });

  test('is not asked for them: results of stages that left none stay valid, and a file that nothing vouches for is not read', async () => {
    const { store } = storeWithStage();
    const attempt = await begin(store);
    await attempt.commit({ weight: 1 });
    const file = join(attempt.dir, 'items.bin');
    expect([existsSync(file), store.doneAttempt(key), store.items(key)]).toEqual([false, 1, undefined]);
    writeFileSync(file, packItems(right));
    expect([store.doneAttempt(key), store.items(key)]).toEqual([1, undefined]);
    expect(await store.verify(key)).toBe(false);
  });
});
