/**
 * A study whose training code is Python: `train_plain.py` (a softmax regression, no package needed) and `train_pytorch.py` (a small
 * convolutional network). `ablations/` says what is compared, one file each, `profiles/` at which scale. This file says which factors there
 * are to choose, and which stages the choices become.
 *
 * In this folder:
 *   ablate plan                            the stages that the arms need
 *   ablate sweep                           runs what is missing, then writes reports/minute/index.html
 *   ablate sweep --set framework=pytorch   the same arms, trained by PyTorch
 */
import { commandStage, defineStudy, z } from 'tinymim-ablations';

/** What differs between arms. A misspelt factor is an error, in the editor and at the command line. */
const factors = z.strictObject({ momentum: z.number().min(0).max(1).default(0.9) });
export type Factors = z.output<typeof factors>;

/** The scale at which all arms are trained. */
const profile = z.strictObject({
  name: z.string(),
  seeds: z.array(z.int()), // replicates of every arm, declared before anything is run
  verdicts: z.union([z.literal(false), z.strictObject({ margin: z.number(), source: z.string() })]),
  framework: z.enum(['plain', 'pytorch']),
  images: z.int().min(1).max(60_000),
  test_images: z.int().min(1).max(10_000),
  epochs: z.int().min(1),
  batch_size: z.int().min(1),
  learning_rate: z.number().positive(),
});
export type Profile = z.output<typeof profile>;

/** A kind of stage that a script runs. What it is told and how it answers: experiments/README.md of the package. */
const train = (framework: Profile['framework']) =>
  commandStage({
    name: framework,
    revision: 1,
    recipe: z.object({ momentum: z.number(), learning_rate: z.number(), images: z.int(), test_images: z.int(), epochs: z.int(), batch_size: z.int() }),
    metrics: {
      accuracy: { label: 'test accuracy', unit: 'fraction', better: 'higher', help: 'Share of test images that are right' },
      accuracy_se: { label: 'standard error', unit: 'fraction', better: 'none', help: 'Binomial, of the finite test set' },
    },
    command: ['python3', `train_${framework}.py`], // words, which no shell reads
    sources: [`train_${framework}.py`], // edited, they make other stages: only those are run again
    environment: { PYTHONUNBUFFERED: '1' }, // what it prints is in the log at once
    versions: [
      ['python3', '--version'],
      ['python3', '-m', 'pip', 'freeze'],
    ], // recorded with each run
    cost: ({ images, epochs }) => ({ labelledImages: images * epochs }),
    check: ({ images, batch_size }) => (batch_size > images ? [{ weight: 'impossible', field: 'batch_size', expected: `at most ${images}, the images that it trains on` }] : []),
  });

export default defineStudy<Factors, Profile>({
  name: 'My study', // the title of its reports
  factors,
  profile,
  kinds: [train('plain'), train('pytorch')],
  // The stages of an arm: here one. A stage that needs another names it in `upstream`, and finds its files by ABLATE_UPSTREAM_<SLOT>.
  realise({ momentum }, { framework, learning_rate, images, test_images, epochs, batch_size }, seed) {
    return { kind: framework, role: 'train', recipe: { momentum, learning_rate, images, test_images, epochs, batch_size }, seed, upstream: {} };
  },
  report: {
    headline: { role: 'train', metric: 'accuracy', standardError: 'accuracy_se' },
    columns: [],
    curves: [{ role: 'train', metric: 'loss', title: 'training loss' }],
    ownRoles: ['train'],
    notes: () => [],
    comparable: () => false,
    facts: ({ framework, images, test_images, epochs }) => [
      { label: 'Data', value: `Fashion-MNIST, ${images} images, tested on ${test_images}`, lead: true, scale: true },
      { label: 'Model', value: framework === 'plain' ? 'softmax regression, in plain Python' : 'convolutional network, in PyTorch' },
      { label: 'Epochs', value: String(epochs) },
    ],
  },
});
