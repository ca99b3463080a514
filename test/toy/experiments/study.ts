/** A study that needs no engine: seeds grow, are grafted and weighed within milliseconds. It proves the core alone. */
import { z } from 'zod';
import type { StageSpec } from '../../../src/core/ablation/declaration.ts';
import { defineStudy } from '../../../src/core/ablation/define.ts';
import { seedling } from '../kinds/seedling.ts';
import { graft } from '../kinds/graft.ts';
import { trouble } from '../kinds/grow.ts';
import { weigh } from '../kinds/weigh.ts';

const factors = z.strictObject({
  variety: z.enum(['oak', 'elm', 'fir']).default('oak'),
  /** Where the scion is cut, as a share of the seedling's steps. */
  cut: z.number().min(0).max(1).default(1),
  grafted: z.boolean().default(true),
  trouble: trouble.default({ kind: 'none', at: 0 }),
  bed: z.string().nullable().default(null),
});
export type Factors = z.output<typeof factors>;

const profile = z.strictObject({
  name: z.string(),
  seeds: z.array(z.int()),
  sweep: z.array(z.strictObject({ ablations: z.array(z.string()), seeds: z.array(z.int()).optional() })).optional(),
  steps: z.int().min(1),
  milliseconds: z.number().min(0).default(0),
});
export type Profile = z.output<typeof profile>;

function realise(f: Factors, p: Profile, seed: number): StageSpec {
  const pace = { steps: p.steps, milliseconds: p.milliseconds };
  const stock: StageSpec = { kind: 'seedling', role: 'stock', recipe: { variety: f.variety, ...pace }, seed: 0, upstream: {} };
  const tree: StageSpec = f.grafted
    ? { kind: 'graft', role: 'tree', recipe: { cut: f.cut, ...pace, trouble: f.trouble, bed: f.bed }, seed, upstream: { stock } }
    : { kind: 'seedling', role: 'tree', recipe: { variety: f.variety, ...pace }, seed, upstream: {} };
  return { kind: 'weigh', role: 'weigh', recipe: {}, seed, upstream: { tree } };
}

export default defineStudy<Factors, Profile>({
  name: 'toy',
  factors,
  profile,
  kinds: [seedling, graft, weigh],
  realise,
  report: {
    headline: { role: 'weigh', metric: 'weight', standardError: 'weight_se' },
    columns: [{ role: 'weigh', metric: 'weight', label: 'weight' }],
    curves: [{ role: 'tree', metric: 'height', title: 'height' }],
    ownRoles: ['tree', 'weigh'],
    notes: p => [`Toy profile ${p.name}: trees do not grow in milliseconds.`],
    comparable: () => false,
    facts: p => [{ label: 'steps', value: String(p.steps) }],
  },
});
