/** Typed constructors for declarations: they check in the editor and return what they were given. */
import type { AblationDeclaration, ProfileBase, Study } from './declaration.ts';
import { declaredByCaller } from './declared-in.ts';
import type { StageKind } from './kind.ts';

/** The library of schemas, so that a study outside this repository needs nothing installed. */
export { z } from 'zod';

/**
 * Registers a kind whose recipe is typed; the core handles recipes as plain JSON that the kind's own schema has parsed. The module that calls
 * this is the kind's: what it loads is the code that makes its numbers.
 */
export function defineKind<R extends object>(kind: StageKind<R>): StageKind {
  declaredByCaller(kind, defineKind);
  return kind as unknown as StageKind;
}

export const defineAblation = <F>(ablation: AblationDeclaration<F>): AblationDeclaration<F> => ablation;

/** A study as the core sees it: factors and profiles are whatever its schemas parse. */
export const defineStudy = <F extends object, P extends ProfileBase>(study: Study<F, P>): Study => study as unknown as Study;
