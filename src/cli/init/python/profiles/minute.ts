/**
 * minute: three seeds of two arms, in less than a minute on two CPU cores, without any package of Python.
 *
 * Run       ablate sweep
 *           ablate sweep --set framework=pytorch --set images=6000 --set epochs=3
 */
import { defineProfile } from 'tinymim-ablations';
import type { Profile } from '../study.ts';

export default defineProfile<Profile>({
  name: 'minute', // as the file is named
  seeds: [0, 1, 2], // a verdict takes all of them, and at least three
  verdicts: { margin: 1, source: 'assumed: 10 of the 1,000 test images' }, // in percentage points: a smaller difference does not matter
  framework: 'plain',
  images: 500,
  test_images: 1000,
  epochs: 2,
  batch_size: 20,
  learning_rate: 0.01,
});
