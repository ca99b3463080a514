import { defineStudy, z, type ProfileBase } from 'tinymim-ablations';
import { flip } from './flip.ts';

const factors = z.strictObject({ bias: z.number().default(0.5), coin: z.enum(['old', 'new']).default('old') });
export type Factors = z.infer<typeof factors>;

export interface Profile extends ProfileBase {
  readonly flips: number;
}

export default defineStudy<Factors, Profile>({
  name: 'Coins',
  factors,
  profile: z.strictObject({ name: z.string(), seeds: z.array(z.int()), flips: z.int().positive() }),
  kinds: [flip],
  realise: ({ bias, coin }, { flips }, seed) => ({ kind: 'flip', role: 'flip', recipe: { bias, coin, flips }, seed, upstream: {} }),
  report: {
    headline: { role: 'flip', metric: 'heads', standardError: 'heads_se' },
    columns: [],
    curves: [{ role: 'flip', metric: 'heads', title: 'Heads' }],
    ownRoles: ['flip'],
    notes: () => [],
    comparable: () => false,
    facts: ({ flips }) => [{ label: 'Flips', value: String(flips), lead: true }],
  },
});
