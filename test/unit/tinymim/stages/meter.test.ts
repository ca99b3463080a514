import { describe, expect, it } from 'vitest';
import { Meter, type MeterState } from '../../../../src/tinymim/stages/meter.ts';

const lossAt = (step: number): number => Math.sin(step) + 2;

describe('Meter', () => {
  it('gives each step to exactly one point of the curve', () => {
    const meter = new Meter(1000, 100);
    const points: { step: number; loss: number }[] = [];
    for (let step = 1; step <= 1000; step++) {
      const point = meter.add(step, { loss: lossAt(step) });
      if (point) points.push({ step, loss: point['loss']! });
    }
    expect(points.map(p => p.step)).toEqual(Array.from({ length: 200 }, (_, i) => (i + 1) * 5));
    expect(points[0]!.loss).toBeCloseTo((lossAt(1) + lossAt(2) + lossAt(3) + lossAt(4) + lossAt(5)) / 5, 12);
  });

  it('makes a point of every step of a short run', () => {
    const meter = new Meter(7, 7);
    const made = [1, 2, 3, 4, 5, 6, 7].map(step => meter.add(step, { loss: step })?.['loss']);
    expect(made).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it('continues from its state as if it had not stopped', () => {
    const whole = new Meter(900, 50);
    const first = new Meter(900, 50);
    for (let step = 1; step <= 333; step++) {
      whole.add(step, { loss: lossAt(step) });
      first.add(step, { loss: lossAt(step) });
    }
    const second = new Meter(900, 50, JSON.parse(JSON.stringify(first.state())) as MeterState);
    for (let step = 334; step <= 900; step++) expect(second.add(step, { loss: lossAt(step) })).toEqual(whole.add(step, { loss: lossAt(step) }));
    expect(second.lastEpochMeans()).toEqual(whole.lastEpochMeans());
  });

  it('averages the last epoch only', () => {
    const meter = new Meter(20, 5);
    for (let step = 1; step <= 20; step++) meter.add(step, { loss: step });
    expect(meter.lastEpochMeans()).toEqual({ loss: 18 });
  });
});
