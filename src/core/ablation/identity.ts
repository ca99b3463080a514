/** The key of a stage: a hash of what decides its numbers, and of nothing else. */
import { createHash } from 'node:crypto';
import { canonicalJson } from './json.ts';
import type { JsonObject, StageIdentity, StageKind } from './kind.ts';

/** 128 bits in hexadecimal. */
const KEY_LENGTH = 32;

/** Exactly the fields of an identity; one without a hash of code has five. */
export const identityOf = ({ kind, revision, recipe, seed, upstream, codeHash }: StageIdentity): StageIdentity => ({
  kind,
  revision,
  recipe,
  seed,
  upstream,
  ...(codeHash !== undefined && { codeHash }),
});

/** The text that is hashed: canonical JSON of an identity. */
export const identityText = (identity: StageIdentity): string => canonicalJson(identityOf(identity), 'identity');

/** What stands as the revision in the identity of a stage of this recipe. */
export const revisionOf = (kind: Pick<StageKind, 'revision' | 'changedIn'>, recipe: JsonObject): number => kind.changedIn?.(recipe) ?? kind.revision;

/** First 32 hexadecimal digits of the SHA-256 of `identityText`. @throws NotJsonError when the recipe is not plain JSON */
export function keyOf(identity: StageIdentity): string {
  return createHash('sha256').update(identityText(identity)).digest('hex').slice(0, KEY_LENGTH);
}
