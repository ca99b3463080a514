/** What sets two arms apart, role by role. */
import { identityDifferences, type IdentityDifference } from './explain.ts';
import type { Plan, PlannedArm } from './plan.ts';

/** `same`: one stage that both share; `only a`, `only b`: the other arm has no such role; else the fields that differ. */
export interface RoleDifference {
  readonly role: string;
  readonly same: boolean;
  readonly only?: 'a' | 'b';
  /** Upstream keys are left out: the upstream role stands in a line of its own. */
  readonly fields: readonly IdentityDifference[];
  /** Inputs that differ: the role that fills the slot in each arm, if any. */
  readonly inputs: readonly { readonly slot: string; readonly a: string | undefined; readonly b: string | undefined }[];
}

type Keys = PlannedArm['stages'];

/** Roles of two replicates in the order of their stages. Replicates of an arm differ in seeds only, so any of one seed will do. */
export function roleDifferences({ stages }: Pick<Plan, 'stages'>, { stages: left }: Pick<PlannedArm, 'stages'>, { stages: right }: Pick<PlannedArm, 'stages'>): RoleDifference[] {
  const order = new Map([...stages.keys()].map((key, i) => [key, i]));
  return merged(rolesOf(left, order), rolesOf(right, order)).map((role): RoleDifference => {
    const [x, y] = [left[role], right[role]];
    if (x === undefined || y === undefined) return { role, same: false, only: x === undefined ? 'b' : 'a', fields: [], inputs: [] };
    const all = x === y ? [] : identityDifferences(stages.get(x)!, stages.get(y)!);
    const slots = all.flatMap(d => /^upstream\.(.+)$/.exec(d.field)?.[1] ?? []);
    const inputs = slots.map(slot => ({ slot, a: roleOf(left, stages.get(x)!.upstream[slot]), b: roleOf(right, stages.get(y)!.upstream[slot]) }));
    return { role, same: x === y, fields: all.filter(d => !/^upstream\b/.test(d.field)), inputs };
  });
}

/** Roles of an arm, upstream first. */
export const rolesOf = (keys: Keys, order: ReadonlyMap<string, number>): string[] => Object.keys(keys).sort((x, y) => order.get(keys[x]!)! - order.get(keys[y]!)!);

const roleOf = (keys: Keys, key: string | undefined): string | undefined => Object.keys(keys).find(role => keys[role] === key);

/** Both lists in their orders; what only the second has stands before what follows it there. */
function merged(first: readonly string[], second: readonly string[]): string[] {
  const all = [...first];
  second.forEach((role, i) => {
    if (all.includes(role)) return;
    const next = second.slice(i).find(r => first.includes(r));
    all.splice(next === undefined ? all.length : all.indexOf(next), 0, role);
  });
  return all;
}
