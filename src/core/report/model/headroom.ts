/** Which arms of the study's headroom stand in a table: those that its own arms rest on; and the arms that these are to beat. */
import { isDeepStrictEqual } from 'node:util';
import type { ArmName } from '../../ablation/claims.ts';
import type { Study } from '../../ablation/declaration.ts';
import type { Ablation, Arm } from '../../ablation/expand.ts';
import { isHeadroom } from '../../ablation/headroom.ts';
import { oneLine } from '../../text/clean.ts';

interface BaselineArm extends ArmName {
  /** With the ablation's name before it where that is another one. */
  readonly label: string;
}

/** What arms of a report rest on, and what is to be beaten by them. */
export interface HeadroomPair {
  readonly of: Pick<Arm, 'name' | 'label'>;
  /** Undefined: no arm of the report has the factors that the study names. */
  readonly baseline: BaselineArm | undefined;
}

export interface TableHeadroom {
  /** In the order of the headroom. */
  readonly arms: readonly Arm[];
  /** Where some are arms of the table themselves: which. */
  readonly footnote: string | undefined;
  /** What arms of the table are to beat, each once, in the order of these arms. */
  readonly baselines: readonly Baseline[];
}

/** An arm without what others rest on. */
export interface Baseline extends BaselineArm {
  /** Those of the headroom that arms rest on which are to beat it. */
  readonly rests: readonly Pick<Arm, 'name' | 'label'>[];
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
    baselines: baselinesOf(study, own, armsOfTables(study, expanded), arms),
  };
}

/** Arms of all tables, those that take over another's last. */
function armsOfTables(study: Study, expanded: readonly Ablation[]): Arm[] {
  const tables = expanded.filter(({ declaration }) => !isHeadroom(study, declaration.name));
  const takenOver = ({ declaration, arms }: Ablation, expected: boolean): Arm[] => arms.filter(arm => (declaration.arms.find(({ name }) => name === arm.name)?.sameAs !== undefined) === expected);
  return [false, true].flatMap(expected => tables.flatMap(table => takenOver(table, expected)));
}

/**
 * @param others all arms of the report, of which one of the table itself is taken first
 * @param headroom that arms of the table rest on
 */
function baselinesOf(study: Study, own: readonly Arm[], others: readonly Arm[], headroom: readonly Arm[]): Baseline[] {
  const names = new Map<Arm, Set<string>>();
  for (const arm of own) {
    const wanted = toBeat(study, arm);
    const baseline = wanted && [...own, ...others].find(other => isDeepStrictEqual(other.factors, wanted));
    if (baseline !== undefined) names.set(baseline, new Set([...(names.get(baseline) ?? []), ...arm.headroom!]));
  }
  return [...names].map(([arm, of]) => ({
    ...baselineArm(arm),
    ...(own.includes(arm) ? { label: oneLine(arm.label) } : {}),
    rests: headroom.flatMap(({ name, label }) => (of.has(name) ? [{ name, label: oneLine(label) }] : [])),
  }));
}

const baselineArm = ({ ablation, name, label }: Arm): BaselineArm => ({ ablation, arm: name, label: oneLine(`${ablation}: ${label}`) });

/** Factors of what the arm is to beat; undefined where it rests on nothing or the study names none. */
function toBeat(study: Study, { headroom = [], factors }: Arm): object | undefined {
  const chosen = headroom.length === 0 ? undefined : study.headroom!.baseline?.(factors);
  return chosen && study.factors.parse(chosen);
}

/** Of all tables, each pair once: in the order of the headroom, then of the baselines. */
export function headroomPairs(study: Study, expanded: readonly Ablation[]): HeadroomPair[] {
  const arms = armsOfTables(study, expanded);
  const baselines: { readonly wanted: object; readonly names: Set<string> }[] = [];
  for (const arm of arms) {
    const wanted = toBeat(study, arm);
    if (wanted === undefined) continue;
    const known = baselines.find(other => isDeepStrictEqual(other.wanted, wanted));
    if (known === undefined) baselines.push({ wanted, names: new Set(arm.headroom) });
    else for (const name of arm.headroom!) known.names.add(name);
  }
  const found = baselines.map(({ wanted, names }) => ({ names, arm: arms.find(({ factors }) => isDeepStrictEqual(factors, wanted)) }));
  const headroom = expanded.filter(({ declaration }) => isHeadroom(study, declaration.name)).flatMap(each => each.arms);
  return headroom.flatMap(({ name, label }) => found.filter(({ names }) => names.has(name)).map(({ arm }) => ({ of: { name, label: oneLine(label) }, baseline: arm && baselineArm(arm) })));
}
