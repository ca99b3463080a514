/** From a declaration to its arms, each with its full choice of factors. */
import type { AblationDeclaration, ArmDeclaration, Published, Study } from './declaration.ts';
import type { JsonObject } from './kind.ts';

export interface Arm {
  readonly ablation: string;
  readonly name: string;
  readonly label: string;
  /** Every factor, defaults filled in by the study's schema. */
  readonly factors: JsonObject;
  readonly published?: Published;
  readonly note?: string;
}

/** A declaration with the arms chosen from it, in the order of the declaration. */
export interface Ablation {
  readonly declaration: AblationDeclaration<JsonObject>;
  readonly arms: readonly Arm[];
}

/** What the study's schema parses: the ablation's base with the arm's own factors over it. */
export function chosenFactors(base: Partial<JsonObject>, arm: ArmDeclaration<JsonObject>): JsonObject {
  return { ...base, ...arm.factors } as JsonObject;
}

/** @param declaration validated by `parseAblation` */
export function expandAblation(declaration: AblationDeclaration<JsonObject>, study: Study): Ablation {
  const arms = declaration.arms.map(arm => ({
    ablation: declaration.name,
    name: arm.name,
    label: arm.label,
    factors: study.factors.parse(chosenFactors(declaration.base, arm)),
    ...(arm.published && { published: arm.published }),
    ...(arm.note !== undefined && { note: arm.note }),
  }));
  return { declaration, arms };
}
