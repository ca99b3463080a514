/** Typed constructors for declarations: they check in the editor and return what they were given. */
import type { AblationDeclaration, ProfileBase, Study } from './declaration.ts';
import { declaredByCaller } from './declared-in.ts';
import type { StageKind } from './kind.ts';

/** The library of schemas, so that a study outside this repository needs nothing installed. */
export { z } from 'zod';

/**
 * A kind of stage in TypeScript. Its recipe is typed; the core handles recipes as plain JSON that the kind's own schema has parsed. The module that
 * calls this is the kind's: what it loads is the code that makes its numbers.
 *
 * @example A stage that leaves a file for others.
 * ```ts
 * // kinds/mint.ts
 * import { writeFileSync } from 'node:fs';
 * import { join } from 'node:path';
 * import { stageKind, z, type StageContext, type StageResult } from 'tinymim-ablations';
 *
 * const recipe = z.strictObject({ bias: z.number().min(0).max(1) });
 *
 * export const mint = stageKind({
 *   name: 'mint',
 *   revision: 1, // raised when the same recipe gives other numbers
 *   recipe,
 *   upstream: {},
 *   metrics: { bias: { label: 'bias', unit: 'fraction', better: 'none', help: 'Of the coin' } },
 *   cost: () => ({ labelledImages: 0, unlabelledImages: 0, flops: 0 }),
 *   load: () => Promise.resolve(run), // in workers only: what is heavy is imported here
 * });
 *
 * function run({ recipe: { bias }, output }: StageContext<z.output<typeof recipe>>): Promise<StageResult> {
 *   writeFileSync(join(output, 'coin.json'), JSON.stringify({ bias }));
 *   return Promise.resolve({ bias });
 * }
 * ```
 */
export function defineKind<R extends object>(kind: StageKind<R>): StageKind {
  declaredByCaller(kind, defineKind);
  return kind as unknown as StageKind;
}

/**
 * One ablation: the default export of `ablations/<name>.ts`.
 *
 * @example Two arms and a hypothesis.
 * ```ts
 * // ablations/coins.ts
 * import { defineAblation } from 'tinymim-ablations';
 * import type { Factors } from '../study.ts';
 *
 * export default defineAblation<Factors>({
 *   name: 'coins', // as the file is named
 *   title: 'Fair and bent coins',
 *   table: 'ours',
 *   question: 'Does a bent coin show heads more often?',
 *   expected: 'It does.',
 *   base: {},
 *   default: 'fair',
 *   arms: [
 *     { name: 'fair', label: 'Fair', factors: { bias: 0.5 } },
 *     { name: 'bent', label: 'Bent', factors: { bias: 0.9 } },
 *   ],
 *   claims: [{ name: 'bent-above', sentence: 'A bent coin shows heads more often.', parts: [{ type: 'greater', arm: 'bent', than: 'fair' }] }],
 * });
 * ```
 */
export const defineAblation = <F>(ablation: AblationDeclaration<F>): AblationDeclaration<F> => ablation;

/**
 * One profile: the default export of `profiles/<name>.ts`. `P` is what the study's schema of profiles gives.
 *
 * @example Three seeds, and the difference that does not matter.
 * ```ts
 * // profiles/few.ts
 * import { defineProfile } from 'tinymim-ablations';
 * import type { Profile } from '../study.ts';
 *
 * export default defineProfile<Profile>({
 *   name: 'few', // as the file is named
 *   seeds: [0, 1, 2],
 *   verdicts: { margin: 1, source: 'assumed: 2 of 200 tosses' },
 *   tosses: 200,
 * });
 * ```
 */
export const defineProfile = <P extends ProfileBase>(profile: P): P => profile;

/**
 * A study, the default export of `study.ts`: its factors and profiles are whatever its schemas parse, and `realise` says which stages an arm becomes.
 *
 * @example Two stages, one of TypeScript and one of a program.
 * ```ts
 * // study.ts
 * import { defineStudy, z } from 'tinymim-ablations';
 * import { mint } from './kinds/mint.ts';
 * import { toss } from './kinds/toss.ts';
 *
 * const factors = z.strictObject({ bias: z.number().default(0.5) });
 * export type Factors = z.output<typeof factors>;
 * const profile = z.strictObject({
 *   name: z.string(),
 *   seeds: z.array(z.int()),
 *   verdicts: z.strictObject({ margin: z.number(), source: z.string() }),
 *   tosses: z.int(),
 * });
 * export type Profile = z.output<typeof profile>;
 *
 * export default defineStudy<Factors, Profile>({
 *   name: 'Coins',
 *   factors,
 *   profile,
 *   kinds: [mint, toss],
 *   realise({ bias }, { tosses }, seed) {
 *     const coin = { kind: 'mint', role: 'coin', recipe: { bias }, seed: 0, upstream: {} }; // one for all seeds
 *     return { kind: 'toss', role: 'toss', recipe: { tosses }, seed, upstream: { coin } };
 *   },
 *   report: {
 *     headline: { role: 'toss', metric: 'heads', standardError: 'heads_se' },
 *     columns: [],
 *     curves: [{ role: 'toss', metric: 'heads', title: 'heads so far' }],
 *     ownRoles: ['toss'],
 *     notes: () => [],
 *     comparable: () => false,
 *     facts: ({ tosses }) => [{ label: 'Tosses', value: String(tosses) }],
 *   },
 * });
 * ```
 */
export const defineStudy = <F extends object, P extends ProfileBase>(study: Study<F, P>): Study => study as unknown as Study;
