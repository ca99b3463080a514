/**
 * Arms that show what others could reach, as an ablation that no file declares: its arms are those that declared ones rest on, each once. It is
 * planned, run and recorded as any other; a report shows its arms in the tables of those that rest on them.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Study } from './declaration.ts';
import { UsageError } from './errors.ts';
import type { Ablation, Arm } from './expand.ts';

/** Whether an ablation is that of the study's headroom. */
export const isHeadroom = ({ headroom }: Pick<Study, 'headroom'>, ablation: string): boolean => headroom?.name === ablation;

/**
 * Undefined where no arm of these ablations rests on another.
 * @throws UsageError where the study gives two arms one name
 */
export function headroomAblation(study: Study, ablations: readonly Ablation[]): Ablation | undefined {
  const { headroom } = study;
  if (headroom === undefined) return undefined;
  const arms = new Map<string, Arm>();
  for (const { factors: resting, ablation, name: by } of ablations.flatMap(each => each.arms)) {
    for (const { name, label, factors } of headroom.of(resting)) {
      const arm = { ablation: headroom.name, name, label, factors: study.factors.parse(factors) };
      const known = arms.get(name);
      if (known !== undefined && !isDeepStrictEqual(known, arm)) {
        throw new UsageError('BAD_HEADROOM', `Expected one arm of the name '${headroom.name}/${name}', got another for ${ablation}/${by}; give it a name of its own in the study's headroom`);
      }
      arms.set(name, arm);
    }
  }
  const [first] = arms.values();
  if (first === undefined) return undefined;
  const { name, title, note } = headroom;
  const declared = [...arms.values()].map(arm => ({ name: arm.name, label: arm.label, factors: arm.factors }));
  return { declaration: { name, title, table: 'ours', question: note, expected: note, base: {}, default: first.name, arms: declared }, arms: [...arms.values()] };
}

/** Names of the headroom that the chosen arms rest on, or that were chosen themselves. */
const neededNames = (study: Study, chosen: readonly Ablation[]): Set<string> =>
  new Set(chosen.flatMap(({ declaration, arms }) => (isHeadroom(study, declaration.name) ? arms.map(arm => arm.name) : arms.flatMap(arm => arm.headroom ?? []))));

/**
 * The chosen ablations, and with them, last, what their arms rest on.
 * @param all the headroom of every ablation that was loaded
 */
export function withHeadroom(study: Study, chosen: readonly Ablation[], all: Ablation | undefined): Ablation[] {
  const own = chosen.filter(({ declaration }) => !isHeadroom(study, declaration.name));
  const needed = neededNames(study, chosen);
  const arms = all?.arms.filter(({ name }) => needed.has(name)) ?? [];
  return arms.length === 0 ? own : [...own, { declaration: all!.declaration, arms }];
}
