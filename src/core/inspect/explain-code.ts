/** Which code made the stages of an arm, seed by seed, beside the code of today. */
import type { StageKind } from '../ablation/kind.ts';
import { codeOfKinds } from '../code/kind-code.ts';
import { oneLine } from '../text/clean.ts';
import type { ReplicateExplanation } from './explain-arm.ts';

export interface KindCodes {
  readonly kind: string;
  /** Hash of the files that the module of the kind loads now; undefined where it cannot be told. */
  readonly now: string | undefined;
  /** What made the stages that are done, newest seed last; a hash that is undefined is unknown. */
  readonly made: readonly { readonly code: string | undefined; readonly seeds: readonly number[] }[];
}

/** Kinds of the arm of which a stage is done, in order of its stages. */
export function explainCode(replicates: readonly ReplicateExplanation[], kinds: readonly StageKind[]): KindCodes[] {
  const byKind = new Map<string, Map<string | undefined, Set<number>>>();
  for (const { seed, stages } of replicates) {
    for (const stage of stages) {
      if (stage.state !== 'done' && stage.state !== 'reused') continue;
      const made = byKind.get(stage.kind) ?? new Map<string | undefined, Set<number>>();
      byKind.set(stage.kind, made.set(stage.codeHash, (made.get(stage.codeHash) ?? new Set()).add(seed)));
    }
  }
  const now = codeOfKinds(kinds.filter(({ name }) => byKind.has(name)));
  return [...byKind].map(([kind, made]) => {
    const found = now.get(kind);
    return { kind: oneLine(kind), now: found !== undefined && 'hash' in found ? found.hash : undefined, made: [...made].map(([code, seeds]) => ({ code, seeds: [...seeds] })) };
  });
}

/** Whether its stages are of more than one state of the code, as far as it is known. */
export const mixesCode = ({ made }: KindCodes): boolean => made.filter(({ code }) => code !== undefined).length > 1;

/** Whether none of its stages is of the code of today, though all of it is known. */
export const isOfOlderCode = ({ now, made }: KindCodes): boolean => now !== undefined && made.every(({ code }) => code !== undefined && code !== now);
