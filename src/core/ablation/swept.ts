/** What a sweep of a profile runs where nothing is chosen: its parts, one after the other, each with its seeds. */
import type { ProfileBase } from './declaration.ts';

type Swept = Pick<ProfileBase, 'seeds' | 'sweep'>;

/** Seeds that a profile declares for an ablation: those of its part of the sweep, else the profile's. */
export const declaredSeeds = ({ seeds, sweep = [] }: Swept, ablation: string): readonly number[] => sweep.find(({ ablations }) => ablations.includes(ablation))?.seeds ?? seeds;

/** Place of an ablation among the parts; one that no part names comes after all of them. */
export function partOf({ sweep = [] }: Swept, ablation: string): number {
  const part = sweep.findIndex(({ ablations }) => ablations.includes(ablation));
  return part < 0 ? sweep.length : part;
}

/** Names of what is swept where nothing is chosen; undefined: every ablation. */
export const sweptAblations = ({ sweep }: Swept): string[] | undefined => sweep?.flatMap(({ ablations }) => ablations);
