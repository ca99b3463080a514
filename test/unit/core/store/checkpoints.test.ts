import { appendFileSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import type { Attempt } from '../../../../src/core/store/attempt.ts';
import type { AttemptCheckpoints } from '../../../../src/core/store/checkpoints.ts';
import { begin, key, storeWithStage } from '../../../toy/store.ts';

const warnings: string[] = [];
const open = (attempt: Attempt, every = 0): AttemptCheckpoints => {
  warnings.length = 0;
  return attempt.checkpoints({ every, warn: w => warnings.push(w) });
};
const weights =
  (text: string) =>
  (dir: string): Promise<void> =>
    writeFile(join(dir, 'weights'), text);
const folder = (attempt: Attempt, step: number): string => join(attempt.dir, 'checkpoints', String(step));
const record = (attempt: Attempt, from: number, to: number, offset = 0): void => {
  for (let step = from; step <= to; step++) attempt.metric({ step, epoch: step / 10, loss: step + offset });
};

describe('checkpoints', () => {
  test('none at the very start, which is recorded', async () => {
    const { store } = storeWithStage();
    const attempt = await begin(store);
    expect(await open(attempt).latest()).toBeUndefined();
    expect(readFileSync(join(attempt.dir, 'resumed.json'), 'utf8')).toBe('{"from":null}\n');
  });

  test('the newest counts; the one before is kept, older ones are not', async () => {
    const { store } = storeWithStage();
    const attempt = await begin(store);
    const checkpoints = open(attempt);
    for (const step of [10, 20, 100]) await checkpoints.save(step, weights(`w${step}`));
    expect(readdirSync(join(attempt.dir, 'checkpoints')).sort()).toEqual(['100', '20']);
    const latest = (await checkpoints.latest())!;
    expect(latest).toEqual({ step: 100, dir: folder(attempt, 100) });
    expect(readFileSync(join(latest.dir, 'weights'), 'utf8')).toBe('w100');
  });

  test.each<[string, (dir: string) => void, RegExp]>([
    ['a changed byte', dir => writeFileSync(join(dir, 'weights'), 'v2'), /weights does not match its checksum/],
    ['a cut file', dir => truncateSync(join(dir, 'weights'), 1), /weights: expected 2 bytes, got 1/],
    ['a missing file', dir => rmSync(join(dir, 'weights')), /weights: expected 2 bytes, got no file/],
    ['a missing manifest', dir => rmSync(join(dir, 'manifest.json')), /no manifest\.json/],
    ['a torn manifest', dir => truncateSync(join(dir, 'manifest.json'), 9), /manifest\.json: expected a JSON object/],
  ])('with %s is passed over with a warning, and the one before is used', async (_, spoil, message) => {
    const { store } = storeWithStage();
    const first = await begin(store);
    for (const step of [1, 2]) await open(first).save(step, weights(`w${step}`));
    spoil(folder(first, 2));
    first.record({ state: 'interrupted' });
    const second = await begin(store);
    expect(await open(second).latest()).toEqual({ step: 1, dir: folder(first, 1) });
    expect(warnings).toEqual([expect.stringMatching(/^Checkpoint of step 2 \(attempt 1\) is damaged and is passed over: /)]);
    expect(warnings[0]).toMatch(message);
    expect(readFileSync(join(second.dir, 'resumed.json'), 'utf8')).toBe('{"from":{"attempt":1,"step":1}}\n');
  });

  test('one that fails while being written leaves the one before and nothing else', async () => {
    const { store } = storeWithStage();
    const attempt = await begin(store);
    const checkpoints = open(attempt);
    await checkpoints.save(1, weights('w1'));
    const torn = checkpoints.save(2, async dir => {
      await weights('half')(dir);
      throw new Error('power');
    });
    await expect(torn).rejects.toThrow('power');
    expect(readdirSync(join(attempt.dir, 'checkpoints'))).toEqual(['1']);
    expect((await checkpoints.latest())!.step).toBe(1);
  });

  test('that does not fit on the disk says how much it needs, and where; the one before stays', async () => {
    const { store } = storeWithStage();
    const attempt = await begin(store);
    const checkpoints = open(attempt);
    await checkpoints.save(1, weights('x'.repeat(5000)));
    const needed = readdirSync(folder(attempt, 1)).reduce((sum, name) => sum + readFileSync(join(folder(attempt, 1), name)).length, 0);
    const full = checkpoints.save(2, async dir => {
      await weights('half')(dir);
      throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    });
    await expect(full).rejects.toMatchObject({
      code: 'STORE_FULL',
      message: `Could not write at least ${needed} bytes to ${join(attempt.dir, 'checkpoints')}. The disk is full; free some space (ablate clean shows what no arm needs) and run again.`,
    });
    expect(readdirSync(join(attempt.dir, 'checkpoints'))).toEqual(['1']);
  });

  test('one that a kill left half written does not count', async () => {
    const { store } = storeWithStage();
    const attempt = await begin(store);
    const checkpoints = open(attempt);
    await checkpoints.save(1, weights('w1'));
    const hung = checkpoints.save(2, async dir => {
      await weights('half')(dir);
      await new Promise(() => undefined);
    });
    await new Promise(resolve => setTimeout(resolve, 20));
    expect((await open(attempt).latest())!.step).toBe(1);
    void hung;
  });

  test('the furthest of all attempts is used; a later attempt never sees those of one still later', async () => {
    const { store } = storeWithStage();
    const first = await begin(store);
    await open(first).save(5, weights('w5'));
    first.record({ state: 'interrupted' });
    const second = await begin(store);
    await open(second).save(3, weights('w3'));
    second.record({ state: 'interrupted' });
    const third = await begin(store);
    expect((await open(third).latest())!.dir).toBe(folder(first, 5));
    await open(third).save(9, weights('w9'));
    expect((await open(second).latest())!.step).toBe(5);
  });

  test('are due by time since the last one', async () => {
    const { store } = storeWithStage();
    const attempt = await begin(store);
    const clock = vi.spyOn(performance, 'now');
    try {
      clock.mockReturnValue(0);
      const checkpoints = open(attempt, 30_000);
      clock.mockReturnValue(29_999);
      expect(checkpoints.due()).toBe(false);
      clock.mockReturnValue(30_000);
      expect(checkpoints.due()).toBe(true);
      await checkpoints.save(1, weights('w'));
      expect(checkpoints.due()).toBe(false);
      clock.mockReturnValue(60_000);
      expect(checkpoints.due()).toBe(true);
    } finally {
      clock.mockRestore();
    }
  });

  test('take a twentieth of the time at most, where one takes longer than a second', async () => {
    const { store } = storeWithStage();
    const attempt = await begin(store);
    const clock = vi.spyOn(performance, 'now');
    const during =
      (ms: number) =>
      async (dir: string): Promise<void> => {
        await weights('w')(dir);
        clock.mockReturnValue(performance.now() + ms);
      };
    try {
      clock.mockReturnValue(0);
      const checkpoints = open(attempt, 30_000);
      await checkpoints.save(1, during(4000));
      clock.mockReturnValue(4000 + 79_999);
      expect(checkpoints.due()).toBe(false);
      clock.mockReturnValue(4000 + 80_000);
      expect(checkpoints.due()).toBe(true);
      await checkpoints.save(2, during(900));
      clock.mockReturnValue(84_900 + 30_000);
      expect(checkpoints.due()).toBe(true);
    } finally {
      clock.mockRestore();
    }
  });
});

describe('curves', () => {
  test('are stitched at the checkpoint each attempt resumed from: no step twice', async () => {
    const { store } = storeWithStage();
    const first = await begin(store);
    record(first, 1, 4);
    await open(first).save(4, weights('w4'));
    record(first, 5, 7); // lost with the kill
    first.record({ state: 'interrupted' });
    const second = await begin(store);
    expect((await open(second).latest())!.step).toBe(4);
    record(second, 5, 6, 0.25);
    await open(second).save(6, weights('w6'));
    record(second, 7, 8, 0.25);
    second.record({ state: 'interrupted' });
    const third = await begin(store);
    await open(third).latest();
    record(third, 7, 9, 0.5);
    await third.commit({ loss: 9.5 });
    expect(store.curve(key).map(r => r['loss'])).toEqual([1, 2, 3, 4, 5.25, 6.25, 7.5, 8.5, 9.5]);
  });

  test('of an attempt that began at the start hold that attempt alone', async () => {
    const { store } = storeWithStage();
    const first = await begin(store);
    record(first, 1, 3);
    first.record({ state: 'interrupted' });
    const second = await begin(store);
    await open(second).latest();
    record(second, 1, 2, 0.5);
    await second.commit({ loss: 2.5 });
    expect(store.curve(key).map(r => r['loss'])).toEqual([1.5, 2.5]);
  });

  test('of a stage not done yet are those of its newest attempt', async () => {
    const { store } = storeWithStage();
    expect(store.curve(key)).toEqual([]);
    record(await begin(store), 1, 2);
    expect(store.curve(key).map(r => r.step)).toEqual([1, 2]);
  });

  test('a torn last line does not count; a damaged line before it is an error that names it', async () => {
    const { store } = storeWithStage();
    const attempt = await begin(store);
    record(attempt, 1, 2);
    const file = join(attempt.dir, 'metrics.jsonl');
    appendFileSync(file, '{"step":3,"epo');
    expect(store.curve(key).map(r => r.step)).toEqual([1, 2]);
    appendFileSync(file, '\n{"step":4,"epoch":1}\n');
    expect(() => store.curve(key)).toThrow(
      expect.objectContaining({ code: 'STORE_DAMAGED', message: expect.stringMatching(/metrics\.jsonl, line 3: expected a JSON object, got '\{"step":3,"epo'/) as string }),
    );
  });
});
