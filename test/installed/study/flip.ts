import { stageKind, Interrupted, z, type StageContext } from 'tinymim-ablations';

const recipe = z.strictObject({ bias: z.number().min(0).max(1), coin: z.enum(['old', 'new']), flips: z.int().positive() });
export type FlipRecipe = z.infer<typeof recipe>;

/** Every coin wears a little. */
const wear = { old: 0.05, new: 0 } as const satisfies Record<FlipRecipe['coin'], number>;

/** A kind of stage of one's own, which trains nothing. */
export const flip = stageKind<FlipRecipe>({
  name: 'flip',
  revision: 1,
  recipe,
  upstream: {},
  metrics: {
    heads: { label: 'heads', unit: 'fraction', better: 'higher', help: 'Share of heads.' },
    heads_se: { label: 'standard error', unit: 'fraction', better: 'none', help: 'Binomial standard error of the share.' },
  },
  cost: ({ flips }) => ({ labelledImages: flips, unlabelledImages: 0, flops: 0 }),
  load: () =>
    Promise.resolve((context: StageContext<FlipRecipe>) => {
      const {
        recipe: { bias, coin, flips },
        seed,
        signal,
      } = context;
      if (signal.aborted) throw new Interrupted();
      const heads = Math.min(1, bias + wear[coin] + (seed % 3) / flips);
      context.metric({ step: 1, epoch: 1, heads });
      return Promise.resolve({ heads, heads_se: Math.sqrt((heads * (1 - heads)) / flips) });
    }),
});
