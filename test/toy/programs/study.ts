/** A study whose one kind of stage is a program. */
import { commandStage, defineStudy, z, type StageSpec } from 'tinymim-ablations';

const recipe = z.object({
  rate: z.number(),
  steps: z.int().min(1),
  milliseconds: z.number().min(0).default(0),
  trouble: z.string().default('none'),
  at: z.int().default(0),
});

const train = commandStage({
  name: 'train',
  revision: 1,
  recipe,
  upstream: { start: { kinds: ['train'], optional: true } },
  metrics: {
    accuracy: { label: 'accuracy', unit: 'fraction', better: 'higher', help: 'Share of right answers' },
    accuracy_se: { label: 'error', unit: 'fraction', better: 'none', help: 'Standard error of the share' },
  },
  command: [process.execPath, 'trainer.mjs'],
  sources: ['trainer.mjs'],
  versions: [[process.execPath, '--version']],
  cost: ({ steps }) => ({ labelledImages: steps }),
  check: ({ rate }) => (rate > 9 ? [{ weight: 'impossible', field: 'rate', expected: 'at most 9' }] : []),
  grace: 2,
});

const factors = z.strictObject({
  rate: z.number().default(1),
  continued: z.boolean().default(false),
  trouble: z.string().default('none'),
  at: z.int().default(0),
});
export type Factors = z.output<typeof factors>;

const profile = z.strictObject({ name: z.string(), seeds: z.array(z.int()), steps: z.int(), milliseconds: z.number().default(0) });
type Profile = z.output<typeof profile>;

function realise({ continued, ...options }: Factors, { steps, milliseconds }: Profile, seed: number): StageSpec {
  const start: StageSpec = { kind: 'train', role: 'start', recipe: { rate: 1, steps, milliseconds }, seed: 0, upstream: {} };
  return { kind: 'train', role: 'train', recipe: { ...options, steps, milliseconds }, seed, upstream: continued ? { start } : {} };
}

export default defineStudy<Factors, Profile>({
  name: 'programs',
  factors,
  profile,
  kinds: [train],
  realise,
  report: {
    headline: { role: 'train', metric: 'accuracy', standardError: 'accuracy_se' },
    columns: [{ role: 'train', metric: 'accuracy', label: 'accuracy' }],
    curves: [{ role: 'train', metric: 'value', title: 'value' }],
    ownRoles: ['train'],
    notes: () => [],
    comparable: () => false,
    facts: ({ steps }) => [{ label: 'steps', value: String(steps) }],
  },
});
