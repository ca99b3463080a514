/** An arm named on the command line: `ablation/arm`. */
import type { AblationDeclaration } from '../ablation/declaration.ts';
import { UsageError } from '../ablation/errors.ts';
import type { JsonObject } from '../ablation/kind.ts';
import { nearestName } from '../ablation/suggest.ts';
import type { PlannedArm } from '../plan/plan.ts';
import type { PlannedExperiments } from '../plan/plan.ts';

export interface ChosenArm {
  /** `ablation/arm`. */
  readonly name: string;
  readonly label: string;
  readonly declaration: AblationDeclaration<JsonObject>;
  /** One replicate a seed. */
  readonly replicates: readonly PlannedArm[];
}

/** @throws UsageError with the nearest name when no chosen ablation has such an arm */
export function findArm({ ablations, plan }: Pick<PlannedExperiments, 'ablations' | 'plan'>, name: string): ChosenArm {
  const arms = ablations.flatMap(({ declaration, arms: of }) => of.map(a => ({ ...a, declaration })));
  const found = arms.find(a => `${a.ablation}/${a.name}` === name);
  if (!found)
    throw new UsageError(
      'UNKNOWN_ARM',
      `No arm '${name}'${hint(
        name,
        arms.map(a => `${a.ablation}/${a.name}`),
      )}`,
    );
  return { name, label: found.label, declaration: found.declaration, replicates: plan.arms.filter(a => a.ablation === found.ablation && a.arm === found.name) };
}

function hint(name: string, known: readonly string[]): string {
  const [ablation = '', arm] = name.split('/');
  const near = nearestName(name, known);
  if (near !== undefined) return `; did you mean '${near}'?`;
  // Of the right table, or of any table when only the arm was named.
  const likely = known.filter(k => k.startsWith(`${ablation}/`) || k.endsWith(`/${arm ?? ablation}`));
  return likely.length > 0 ? `; there are ${likely.join(', ')}` : `; expected <ablation>/<arm>, e.g. ${known[0] ?? 'relation/qk-vv'}`;
}
