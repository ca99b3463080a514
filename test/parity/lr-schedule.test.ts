import { expect, it } from 'vitest';
import { learningRate } from '../../src/tinymim/optim/schedule.ts';
import { readFixtureJson } from '../helpers/parity/fixtures.ts';

interface Case {
  readonly lr: number;
  readonly min_lr: number;
  readonly warmup_epochs: number;
  readonly epochs: number;
  readonly lr_scale_of_third_column: number;
  readonly points_epoch_lr_scaledlr: readonly (readonly [epoch: number, lr: number, scaled: number])[];
}
const { cases } = readFixtureJson('lr_schedule') as { cases: readonly Case[] };

it.each(cases)('equals the official schedule: lr $lr, $warmup_epochs of $epochs epochs', c => {
  const schedule = { lr: c.lr, minLr: c.min_lr, warmupEpochs: c.warmup_epochs, epochs: c.epochs };
  expect(c.points_epoch_lr_scaledlr.length).toBeGreaterThan(0);
  for (const [epoch, lr, scaled] of c.points_epoch_lr_scaledlr) {
    // Both sides compute in float64: only the last digits of the cosine may differ.
    expect(Math.abs(learningRate(schedule, epoch) - lr), `epoch ${epoch}`).toBeLessThanOrEqual(1e-14 * c.lr);
    expect(Math.abs(learningRate(schedule, epoch) * c.lr_scale_of_third_column - scaled), `epoch ${epoch}`).toBeLessThanOrEqual(1e-14 * c.lr);
  }
});
