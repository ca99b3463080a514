/** What a worker leaves for people who look in, and what they make of it. */
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { progressOf } from '../../../../src/core/inspect/snapshot.ts';
import { StoreError } from '../../../../src/core/store/errors.ts';
import { nodeFiles } from '../../../../src/core/store/files.ts';
import { ProgressLog, readProgress, type ProgressLine } from '../../../../src/core/store/progress.ts';
import { temporaryFolder } from '../../../toy/sweep.ts';

describe('ProgressLog', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('writes every change of phase, and of one phase a line twice a second at first, every ten seconds later', () => {
    const dir = temporaryFolder('progress');
    const log = new ProgressLog(() => nodeFiles.openAppend(join(dir, 'progress.jsonl')));
    log.note({ phase: 'load', step: 0, steps: 0 });
    for (let step = 1; step <= 16; step++) {
      vi.advanceTimersByTime(100);
      log.note({ phase: 'step', step, steps: 50, imagesPerSecond: step === 16 ? NaN : 12.5, waiting: step === 16 ? NaN : 0.25 });
    }
    log.note({ phase: 'save', step: 16, steps: 50 });
    vi.advanceTimersByTime(3600_000);
    log.note({ phase: 'save', step: 16, steps: 50 });
    vi.advanceTimersByTime(9_900);
    log.note({ phase: 'save', step: 16, steps: 50 });
    log.close();
    expect(readProgress(dir).map(l => [l.phase, l.step, l.images_per_second, l.waiting])).toEqual([
      ['load', 0, undefined, undefined],
      ['step', 1, 12.5, 0.25],
      ['step', 6, 12.5, 0.25],
      ['step', 11, 12.5, 0.25],
      ['step', 16, undefined, undefined],
      ['save', 16, undefined, undefined],
      ['save', 16, undefined, undefined],
    ]);
  });

  it('does not fail a stage where the disk takes no line', () => {
    const log = new ProgressLog(() => {
      throw new StoreError('STORE_FULL', 'full');
    });
    expect(() => log.note({ phase: 'load', step: 0, steps: 0 })).not.toThrow();
  });
});

describe('readProgress', () => {
  it('reads the end of a long file, and passes over lines that are torn or of another version', () => {
    const dir = temporaryFolder('progress');
    expect(readProgress(dir)).toEqual([]);
    const line = (step: number): string => `${JSON.stringify({ time: new Date(step * 1e3).toISOString(), phase: 'step', step, steps: 9999 })}\n`;
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, 'progress.jsonl'), Array.from({ length: 2000 }, (_, i) => line(i)).join(''));
    appendFileSync(join(dir, 'progress.jsonl'), '{"phase":"dance","step":1,"steps":2,"time":"2026-01-01T00:00:00.000Z"}\n{"time":"2026-01-');
    const lines = readProgress(dir);
    expect(lines.at(-1)!.step).toBe(1999);
    expect(lines.length).toBeGreaterThan(100);
    expect(lines.length).toBeLessThan(300);
    expect(readFileSync(join(dir, 'progress.jsonl')).length).toBeGreaterThan(100_000);
  });
});

describe('progressOf', () => {
  const at = (seconds: number, phase: ProgressLine['phase'], step: number, steps: number, rate?: number, waiting?: number): ProgressLine => ({
    time: new Date(1e12 + seconds * 1e3).toISOString(),
    phase,
    step,
    steps,
    ...(rate !== undefined && { images_per_second: rate }),
    ...(waiting !== undefined && { waiting }),
  });

  it('takes the pace of the last two minutes', () => {
    const lines = [at(0, 'step', 1, 1000, 7), at(400, 'step', 101, 1000, 8), at(460, 'step', 161, 1000, 9), at(500, 'step', 301, 1000, 10, 0.04)];
    expect(progressOf(lines)).toEqual({ phase: 'step', step: 301, steps: 1000, stepsPerSecond: 2, secondsLeft: 699 / 2, imagesPerSecond: 10, waiting: 0.04 });
  });

  it('keeps how far a stage is while it evaluates and saves without counting steps', () => {
    expect(progressOf([at(0, 'step', 10, 100), at(10, 'step', 20, 100), at(11, 'save', 0, 0)])).toMatchObject({ phase: 'save', step: 20, steps: 100, stepsPerSecond: 1 });
  });

  it('of a clock that was set is reckoned from the lines since then: no pace is negative', () => {
    const back = [at(7200, 'step', 10, 100), at(7210, 'step', 20, 100), at(0, 'step', 30, 100)];
    expect(progressOf(back)).toEqual({ phase: 'step', step: 30, steps: 100 });
    expect(progressOf([...back, at(5, 'step', 40, 100)])).toMatchObject({ stepsPerSecond: 2, secondsLeft: 30 });
    const ahead = [at(0, 'step', 10, 100), at(10, 'step', 20, 100), at(7200, 'step', 30, 100), at(7205, 'step', 40, 100)];
    expect(progressOf(ahead)).toMatchObject({ stepsPerSecond: 2, secondsLeft: 30 });
  });

  it('says no more than there is', () => {
    expect(progressOf([])).toEqual({});
    expect(progressOf([at(0, 'load', 0, 0)])).toEqual({ phase: 'load' });
    expect(progressOf([at(0, 'load', 0, 0), at(3, 'trace', 0, 100)])).toEqual({ phase: 'trace', step: 0, steps: 100 });
  });
});
