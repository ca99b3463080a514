/** From a declaration to its arms, each with its full choice of factors. */
import { armReference } from './claims.ts';
import type { AblationDeclaration, ArmDeclaration, Study } from './declaration.ts';
import type { JsonObject } from './kind.ts';
import type { Declarations } from './references.ts';

export interface Arm {
  readonly ablation: string;
  readonly name: string;
  readonly label: string;
  /** Every factor, defaults filled in by the study's schema. */
  readonly factors: JsonObject;
  readonly note?: string;
  /** Names of the arms of the study's headroom that it rests on, where there are any. */
  readonly headroom?: readonly string[];
}

/** A declaration with the arms chosen from it, in the order of the declaration. */
export interface Ablation {
  readonly declaration: AblationDeclaration<JsonObject>;
  readonly arms: readonly Arm[];
  /** Where they are not those of the whole request. */
  readonly seeds?: readonly number[];
  /** Place in the order of the sweep; default: with the first. */
  readonly part?: number;
}

/** What the study's schema parses: the ablation's base with the arm's own factors over it. */
export function chosenFactors(base: Partial<JsonObject>, arm: ArmDeclaration<JsonObject>): JsonObject {
  return { ...base, ...arm.factors } as JsonObject;
}

/**
 * @param declaration validated by `parseAblation`
 * @param others the ablations whose arms it takes over by `sameAs`, validated by `checkReferences`
 */
export function expandAblation(declaration: AblationDeclaration<JsonObject>, study: Study, others: Declarations = new Map()): Ablation {
  const arms = declaration.arms.map(arm => {
    const factors = study.factors.parse(arm.sameAs === undefined ? chosenFactors(declaration.base, arm) : sharedFactors(arm.sameAs, others));
    const headroom = (study.headroom?.of(factors) ?? []).map(({ name }) => name);
    return {
      ablation: declaration.name,
      name: arm.name,
      label: arm.label,
      factors,
      ...(headroom.length > 0 && { headroom }),
      ...(arm.note !== undefined && { note: arm.note }),
    };
  });
  return { declaration, arms };
}

function sharedFactors(sameAs: string, others: Declarations): JsonObject {
  const target = armReference(sameAs, '');
  const { declaration, arms } = others.get(target.ablation)!;
  return chosenFactors(declaration.base, arms.get(target.arm)!);
}
