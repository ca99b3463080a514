/** Which arms of the study's headroom stand in a table: those that its own arms rest on. */
import { isDeepStrictEqual } from 'node:util';
import type { Study } from '../../ablation/declaration.ts';
import type { Ablation, Arm } from '../../ablation/expand.ts';
import { isHeadroom } from '../../ablation/headroom.ts';
import { oneLine } from '../../text/clean.ts';

export interface TableHeadroom {
  /** In the order of the headroom. */
  readonly arms: readonly Arm[];
  /** Where some are arms of the table themselves: which. */
  readonly footnote: string | undefined;
}

/** @param expanded with the factors of their arms, the headroom among them; without them nothing is known of it */
export function headroomOf(study: Study, ablation: string, expanded: readonly Ablation[]): TableHeadroom {
  const own = expanded.find(({ declaration }) => declaration.name === ablation)?.arms ?? [];
  const names = new Set(own.flatMap(arm => arm.headroom ?? []));
  const arms = expanded.filter(({ declaration }) => isHeadroom(study, declaration.name)).flatMap(each => each.arms.filter(({ name }) => names.has(name)));
  const twins = new Map(arms.flatMap(arm => own.filter(({ factors }) => isDeepStrictEqual(factors, arm.factors)).map(({ label }) => [arm, label] as const)));
  return {
    arms: arms.filter(arm => !twins.has(arm)),
    footnote: twins.size === 0 ? undefined : oneLine(`${study.headroom!.title}, as arms of this table: ${[...twins].map(([arm, label]) => `${arm.label} (${label})`).join('; ')}.`),
  };
}
