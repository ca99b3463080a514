/** Why two stages have different keys, or the same. */
import { canonicalJson } from '../ablation/json.ts';
import { identityOf } from '../ablation/identity.ts';
import type { StageIdentity } from '../ablation/kind.ts';

export interface IdentityDifference {
  /** Field of the identity, e.g. `recipe.epochs`, `revision`, `upstream.teacher`. */
  readonly field: string;
  /** Canonical JSON, or undefined where the field is missing. */
  readonly a: string | undefined;
  readonly b: string | undefined;
}

/** Fields in which two identities differ, sorted by name; none exactly when their keys are equal. */
export function identityDifferences(a: StageIdentity, b: StageIdentity): IdentityDifference[] {
  const [left, right] = [identityFields(a), identityFields(b)];
  return [...new Set([...left.keys(), ...right.keys()])]
    .sort()
    .map(field => ({ field, a: left.get(field), b: right.get(field) }))
    .filter(d => d.a !== d.b);
}

/** The candidate with the fewest fields that differ from `stage`, and those fields; the first of equals. */
export function nearestIdentity<T extends StageIdentity>(stage: StageIdentity, candidates: Iterable<T>): { stage: T; differences: IdentityDifference[] } | undefined {
  let best: { stage: T; differences: IdentityDifference[] } | undefined;
  for (const candidate of candidates) {
    const differences = identityDifferences(candidate, stage);
    if (best === undefined || differences.length < best.differences.length) best = { stage: candidate, differences };
  }
  return best;
}

/** Every field of an identity that is no object itself, with its canonical JSON. */
export function identityFields(identity: StageIdentity): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (value: unknown, field: string): void => {
    const fields = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
    if (fields.length === 0) found.set(field, canonicalJson(value, field));
    for (const [name, inner] of fields) visit(inner, joined(field, name));
  };
  visit(identityOf(identity), '');
  return found;
}

/** A name that itself holds dots is quoted, so that two fields never bear one name. */
function joined(field: string, name: string): string {
  if (!/^[\w-]+$/.test(name)) return `${field}[${JSON.stringify(name)}]`;
  return field === '' ? name : `${field}.${name}`;
}
