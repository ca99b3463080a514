/** How long a job may be silent, by an explicit clock. */
import { describe, expect, test } from 'vitest';
import type { Phase } from '../../../../src/core/ablation/kind.ts';
import { limitOf, LIMITS, type Limits } from '../../../../src/core/runner/limits.ts';
import { SilenceMonitor, silenceText } from '../../../../src/core/runner/silence.ts';

const limits: Limits = { load: 100, trace: 200, evaluate: 300, save: 400, step: { times: 10, floor: 50, unknown: 500 } };
const BETWEEN = 20;

describe('limitOf', () => {
  test.each<[Phase, number]>([
    ['load', 100],
    ['trace', 200],
    ['evaluate', 300],
    ['save', 400],
  ])('of %s is its own', (phase, limit) => {
    expect(limitOf(phase, 1e6, limits)).toBe(limit);
  });

  test('of a step is a multiple of its usual time, with a floor, and its own while none is known', () => {
    expect(limitOf('step', undefined, limits)).toBe(500);
    expect(limitOf('step', 4, limits)).toBe(50);
    expect(limitOf('step', 7, limits)).toBe(70);
  });

  test('by default takes no shorter than minutes for a hang', () => {
    for (const phase of ['load', 'trace', 'step', 'evaluate', 'save'] as const) expect(limitOf(phase, 0, LIMITS)).toBeGreaterThanOrEqual(5 * 60_000);
  });
});

/** A job with a clock: `wait` looks at it as often as a watcher does. */
class Listened {
  now = 1000;
  readonly silence = new SilenceMonitor(limits, BETWEEN, this.now);

  say(phase: Phase, step = 0, key = 'k'): void {
    this.silence.heard(key, { phase, step, steps: 100 }, this.now);
  }

  wait(ms: number): string {
    let liveness = this.silence.check(this.now);
    for (let left = ms; left > 0; left -= BETWEEN) {
      this.now += Math.min(left, BETWEEN);
      liveness = this.silence.check(this.now);
    }
    return liveness;
  }

  /** Steps that take `ms` each, looked at all the while. */
  steps(from: number, to: number, ms: number, key = 'k'): void {
    for (let step = from; step <= to; step++) {
      this.wait(ms);
      this.say('step', step, key);
    }
  }
}

describe('Silence', () => {
  test('of a job that never speaks is judged as loading: stalled at half its limit, hung at all of it', () => {
    const job = new Listened();
    expect(job.wait(40)).toBe('well');
    expect(job.wait(20)).toBe('stalled');
    expect(job.wait(30)).toBe('stalled');
    expect(job.wait(10)).toBe('hung');
    expect(job.silence.period()).toEqual({ phase: 'load', silent: 100, limit: 100 });
  });

  test.each<[Phase, number]>([
    ['load', 100],
    ['trace', 200],
    ['evaluate', 300],
    ['save', 400],
  ])('after %s has its limit', (phase, limit) => {
    const job = new Listened();
    job.say(phase);
    expect(job.wait(limit - 1)).toBe('stalled');
    expect(job.wait(1)).toBe('hung');
  });

  test('ends with any word', () => {
    const job = new Listened();
    expect(job.wait(99)).toBe('stalled');
    job.say('load');
    expect(job.wait(40)).toBe('well');
  });

  test('in a step is judged by the median of the last steps: one that was disturbed does not count', () => {
    const job = new Listened();
    job.steps(1, 5, 12);
    job.steps(6, 6, 90);
    job.steps(7, 7, 12);
    expect(job.silence.period().limit).toBe(120);
    // Slower for good: the old times are forgotten.
    job.steps(8, 30, 30);
    expect(job.silence.period().limit).toBe(300);
  });

  test('counts the steps between two words, which are not told one by one', () => {
    const job = new Listened();
    job.say('step', 10);
    job.wait(60);
    job.say('step', 15);
    expect(job.silence.period().limit).toBe(120);
  });

  test('does not take an evaluation or a checkpoint for a step', () => {
    const job = new Listened();
    job.steps(1, 3, 10);
    for (const [i, phase] of (['evaluate', 'save', 'evaluate', 'save'] as const).entries()) {
      job.say(phase, 3);
      job.wait(250);
      job.say('step', 4 + i);
    }
    expect(job.silence.period().limit).toBe(100);
  });

  test('is not misled by words that come twice or late', () => {
    const job = new Listened();
    job.steps(1, 5, 10);
    for (const step of [5, 3, 4, 5, 5, 2]) {
      job.wait(1);
      job.say('step', step);
    }
    job.wait(4);
    job.say('step', 6);
    expect(job.silence.period().limit).toBe(100);
  });

  test('of a pack ends with the word of any of its stages, and each has its own pace', () => {
    const job = new Listened();
    job.steps(1, 5, 10, 'a');
    job.steps(1, 5, 40, 'b');
    expect(job.silence.period().limit).toBe(400);
    job.say('step', 6, 'a');
    expect(job.silence.period().limit).toBeLessThanOrEqual(300);
  });

  test('does not count time in which the watcher itself was frozen', () => {
    const job = new Listened();
    job.say('load');
    job.now += 1e7;
    expect(job.silence.check(job.now)).toBe('well');
    expect(job.silence.period().silent).toBe(BETWEEN);
    expect(job.wait(80)).toBe('hung');
  });
});

test('silenceText names the phase, the time and the limit', () => {
  expect(silenceText({ phase: 'step', silent: 1_512, limit: 300_000 })).toBe("no word for 1.51 s in phase 'step' (limit 5 min)");
});
