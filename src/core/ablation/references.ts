/** Names by which a declaration refers to arms: in claims, and by `sameAs` to arms of other ablations. */
import { armReference, armsOf, armNameText, type ArmName } from './claims.ts';
import type { AblationDeclaration, ArmDeclaration, Study } from './declaration.ts';
import type { JsonObject } from './kind.ts';
import { measuresOf } from './measures.ts';
import type { Path, Problem } from './problems.ts';
import { suggest } from './suggest.ts';

type Declaration = AblationDeclaration<JsonObject>;

/** A declaration with its arms by name. */
export interface Declared {
  readonly declaration: Declaration;
  readonly arms: ReadonlyMap<string, ArmDeclaration<JsonObject>>;
}

/** Declarations by name of the ablation. */
export type Declarations = ReadonlyMap<string, Declared>;

export const byName = (declaration: Declaration): Declared => ({ declaration, arms: new Map(declaration.arms.map(arm => [arm.name, arm])) });

interface Reference {
  /** Where it stands in the declaration. */
  readonly path: Path;
  readonly target: ArmName;
  readonly sameAs: boolean;
  /** Of a comparison that names one. */
  readonly measure?: string | undefined;
}

function references({ name, arms, claims = [] }: Declaration): Reference[] {
  const shared = arms.flatMap((arm, i) => (arm.sameAs === undefined ? [] : [{ path: ['arms', i, 'sameAs'], target: armReference(arm.sameAs, name), sameAs: true }]));
  const compared = claims.flatMap((claim, i) =>
    claim.parts.flatMap((part, j) => armsOf(part).map(([path, arm]) => ({ path: ['claims', i, 'parts', j, ...path], target: armReference(arm, name), sameAs: false, measure: part.measure }))),
  );
  return [...shared, ...compared];
}

/** Other ablations that this one refers to, each once. */
export function foreignAblations(declaration: Declaration): string[] {
  const names = references(declaration).map(r => r.target.ablation);
  return [...new Set(names)].filter(name => name !== declaration.name);
}

/** References to arms of the declaration itself that do not hold. */
export function ownReferenceProblems(declaration: Declaration): Problem[] {
  const names = new Set(declaration.arms.map(a => a.name));
  return references(declaration)
    .filter(r => r.target.ablation === declaration.name)
    .flatMap(({ path, target, sameAs }) => {
      if (sameAs) return [{ path, message: `expected 'ablation/arm' of another ablation, got '${armNameText(target)}' of this one` }];
      return names.has(target.arm) ? [] : [{ path, message: `no arm '${target.arm}'${suggest(target.arm, [...names])}` }];
    });
}

/**
 * References to arms of other ablations that do not hold.
 * @param others the ablations that `foreignAblations` names; one that is missing here does not exist
 * @param available names of all ablations, for hints
 */
export function foreignReferenceProblems(declaration: Declaration, others: Declarations, available: readonly string[], study: Study): Problem[] {
  const [{ name: first }] = measuresOf(study, declaration);
  return references(declaration)
    .filter(r => r.target.ablation !== declaration.name)
    .flatMap(({ path, target, sameAs, measure = first }) => {
      const message = foreignProblem(target, sameAs, others, available) ?? (sameAs ? undefined : lacking(target, measure, others, study));
      return message === undefined ? [] : [{ path, message }];
    });
}

function lacking({ ablation }: ArmName, measure: string, others: Declarations, study: Study): string | undefined {
  const names = measuresOf(study, others.get(ablation)!.declaration).map(({ name }) => name);
  return names.includes(measure) ? undefined : `expected an ablation with the measure '${measure}', got '${ablation}' with ${names.join(', ')}`;
}

function foreignProblem(target: ArmName, sameAs: boolean, others: Declarations, available: readonly string[]): string | undefined {
  const arms = others.get(target.ablation)?.arms;
  if (!arms) return `no ablation '${target.ablation}'${suggest(target.ablation, available)}`;
  const arm = arms.get(target.arm);
  if (!arm) return `ablation '${target.ablation}' has no arm '${target.arm}'${suggest(target.arm, [...arms.keys()])}`;
  if (sameAs && arm.sameAs !== undefined) return `expected an arm with factors of its own, got '${armNameText(target)}', which is the same as '${arm.sameAs}': name that one`;
  return undefined;
}
