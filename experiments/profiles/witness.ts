/**
 * witness: one arm of `mini` by two implementations.
 *
 * Purpose   Says how far a second implementation, in PyTorch, is from ours: the same data, recipe, teacher and seeds, other code and other draws.
 * Cost      Half an hour of a core: the three distillations of a ViT-T for each of five seeds, and the last of them once more in PyTorch.
 * Run       python3 -m pip install torch, then make sweep ARGS="--profile witness"
 *
 * Differs from `mini` in nothing that a stage reads: what is done there is not run again. No other profile asks for PyTorch.
 */
import type { ProfileDeclaration } from 'tinymim-ablations/tinymim';
import mini from './mini.ts';

export default {
  ...mini,
  name: 'witness',
  title: 'Fashion-MNIST in minutes, by two implementations',
  sweep: [{ ablations: ['teachers'], seeds: [10] }, { ablations: ['witness'] }],
  pytorch: true,
} satisfies ProfileDeclaration;
