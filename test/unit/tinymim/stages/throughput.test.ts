import { expect, it } from 'vitest';
import { Throughput } from '../../../../src/tinymim/stages/throughput.ts';

it('counts images by the time of a training alone, and the share of all time in which its steps waited for images', () => {
  const throughput = new Throughput(100);
  expect(throughput.step({ wallMs: 10_000, waitMs: 5000 })).toEqual({ imagesPerSecond: 10, waiting: 0.5 });
  expect(throughput.mean()).toBeUndefined(); // the first step compiles
  expect(throughput.step({ wallMs: 1000, shareMs: 500, waitMs: 0 })).toEqual({ imagesPerSecond: 19, waiting: 0.45 });
  throughput.step({ wallMs: 3000, shareMs: 1500, waitMs: 1000 });
  expect(throughput.mean()).toEqual({ imagesPerSecond: 100, waiting: 0.25 });
});
