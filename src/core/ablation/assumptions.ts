/** Assumed values of a profile as it is used: what the command line changed rests on the command line. */
import type { Assumption, ProfileBase, Study } from './declaration.ts';

/**
 * The study's assumptions about the profile.
 * @param overrides canonical, `full.path=json`: see `applyOverrides`
 */
export function assumptionsOf(study: Study, profile: ProfileBase, overrides: readonly string[]): readonly Assumption[] {
  const changed = overrides.map(override => override.slice(0, override.indexOf('=')));
  const holds = (outer: string, inner: string): boolean => inner === outer || inner.startsWith(`${outer}.`) || inner.startsWith(`${outer}[`);
  return (study.report.assumptions?.(profile) ?? []).map(assumption =>
    changed.some(path => holds(assumption.field, path) || holds(path, assumption.field)) ? { ...assumption, reason: 'changed by --set' } : assumption,
  );
}
