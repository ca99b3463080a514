import { describe, expect, it } from 'vitest';
import { learningRate, scaledLearningRate } from '../../../../src/tinymim/optim/schedule.ts';

describe('learningRate', () => {
  const schedule = { lr: 1e-3, minLr: 1e-5, warmupEpochs: 5, epochs: 25 };

  it('starts at 0, peaks after the warm-up, halves midway and ends at minLr', () => {
    expect(learningRate(schedule, 0)).toBe(0);
    expect(learningRate(schedule, 2.5)).toBeCloseTo(5e-4, 12);
    expect(learningRate(schedule, 5)).toBeCloseTo(1e-3, 12);
    expect(learningRate(schedule, 15)).toBeCloseTo((1e-3 + 1e-5) / 2, 12);
    expect(learningRate(schedule, 25)).toBeCloseTo(1e-5, 12);
  });

  it('never rises after the warm-up', () => {
    let previous = Infinity;
    for (let epoch = 5; epoch <= 25; epoch += 0.1) {
      const rate = learningRate(schedule, epoch);
      expect(rate).toBeLessThanOrEqual(previous);
      previous = rate;
    }
  });

  it('starts at the peak without warm-up', () => {
    expect(learningRate({ ...schedule, warmupEpochs: 0 }, 0)).toBe(1e-3);
  });
});

it('scales base rates, which are for 256 images', () => {
  expect(scaledLearningRate(1.5e-4, 4096)).toBeCloseTo(2.4e-3, 15);
  expect(scaledLearningRate(1e-3, 64)).toBe(2.5e-4);
});
