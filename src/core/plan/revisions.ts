/**
 * Keys that planned stages had before the code of their kinds changed. A raised revision changes the key of every stage of that kind and of
 * all that hang on it; what was measured before is still a result of the declared arm, and can be told from one of another recipe.
 */
import { keyOf } from '../ablation/identity.ts';
import type { Plan } from './plan.ts';

/** A planned stage as it was at an earlier time. */
export interface EarlierStage {
  readonly key: string;
  /** Kinds behind it, its own and those upstream, whose revision was lower than now, with that revision. */
  readonly revisions: Readonly<Record<string, number>>;
  /** Revisions between then and now, over all kinds. */
  readonly age: number;
}

interface Variant {
  readonly key: string;
  /** Of every kind behind it. */
  readonly revisions: Readonly<Record<string, number>>;
}

/** Every way in which the revisions behind a planned stage can have been lower, by its key now. An unknown key has none. */
export function earlierStages(plan: Plan): (key: string) => readonly EarlierStage[] {
  const known = new Map<string, readonly Variant[]>();
  const variantsOf = (key: string): readonly Variant[] => {
    const variants = known.get(key) ?? stageVariants(plan, key, variantsOf);
    known.set(key, variants);
    return variants;
  };
  return key => {
    const now = revisionsBehind(plan, key);
    return variantsOf(key).flatMap(variant => {
      const lower = Object.entries(variant.revisions).filter(([kind, revision]) => revision < now.get(kind)!);
      const age = lower.reduce((sum, [kind, revision]) => sum + now.get(kind)! - revision, 0);
      return age === 0 ? [] : [{ key: variant.key, revisions: Object.fromEntries(lower), age }];
    });
  };
}

/** Revisions of the kinds behind a planned stage, as planned. */
function revisionsBehind(plan: Plan, key: string): Map<string, number> {
  const stage = plan.stages.get(key);
  if (stage === undefined) return new Map();
  return new Map([...Object.values(stage.upstream).flatMap(upstream => [...revisionsBehind(plan, upstream)]), [stage.kind, stage.revision]]);
}

function stageVariants(plan: Plan, key: string, variantsOf: (key: string) => readonly Variant[]): Variant[] {
  const stage = plan.stages.get(key);
  if (stage === undefined) return [];
  const { kind } = stage;
  return upstreamWays(stage.upstream, variantsOf).flatMap(({ upstream, revisions }) => {
    const own = revisions[kind] === undefined ? Array.from({ length: stage.revision }, (_, i) => i + 1) : [revisions[kind]];
    return own.map(revision => ({ key: keyOf({ ...stage, revision, upstream }), revisions: { ...revisions, [kind]: revision } }));
  });
}

interface UpstreamWay {
  readonly upstream: Readonly<Record<string, string>>;
  readonly revisions: Readonly<Record<string, number>>;
}

/** Keys of the upstream stages together: at one time a kind has one revision. */
function upstreamWays(slots: Readonly<Record<string, string>>, variantsOf: (key: string) => readonly Variant[]): UpstreamWay[] {
  return Object.entries(slots).reduce<UpstreamWay[]>(
    (ways, [slot, key]) =>
      ways.flatMap(way =>
        variantsOf(key)
          .filter(({ revisions }) => Object.entries(revisions).every(([kind, revision]) => (way.revisions[kind] ?? revision) === revision))
          .map(variant => ({ upstream: { ...way.upstream, [slot]: variant.key }, revisions: { ...way.revisions, ...variant.revisions } })),
      ),
    [{ upstream: {}, revisions: {} }],
  );
}
