/** `--set path=value`: one-off changes of a profile. Recipes come from the profile, so a changed number changes keys by itself. */
import { isDeepStrictEqual } from 'node:util';
import type { ProfileBase, Study } from './declaration.ts';
import { UsageError } from './errors.ts';
import { executionOnly } from './execution.ts';
import { changedFields, schemaPaths, valuePaths, withValue, type FieldPath } from './fields.ts';
import { pathText, problems, type Problem } from './problems.ts';
import { nearestName, suggest } from './suggest.ts';

export interface Overridden {
  /** For `parseProfile`. */
  readonly profile: unknown;
  /** What differs from the profile as declared: full path and canonical JSON, sorted; given again with `--set`, they have the same effect. */
  readonly overrides: readonly string[];
}

/** Fields that the profile has, and those that its schema knows besides. */
interface Fields {
  readonly present: readonly FieldPath[];
  readonly possible: readonly FieldPath[];
}

interface Override {
  /** As given, for messages. */
  readonly text: string;
  readonly path: FieldPath;
  readonly value: unknown;
}

/**
 * Changes fields of a profile.
 * @param declared the profile as its file declares it
 * @param parsed the same, as the study's schema parses it
 * @param sets each `path=value`. The path may leave out names in its middle and at its start as long as one field of the
 *   profile is meant: `distill.epochs` is `distill.schedule.epochs`. The value is JSON, or else a string.
 * @throws UsageError naming the override: no or several such fields, a value that the study's schema refuses
 */
export function applyOverrides(declared: unknown, parsed: ProfileBase, sets: readonly string[], study: Study): Overridden {
  const fields: Fields = { present: valuePaths(parsed), possible: schemaPaths(study.profile) };
  const overrides = sets.map(text => parseOverride(text, fields));
  refuseOverlap(overrides);
  for (const override of overrides) refuseNone(override, declared, parsed, study);
  const profile = overrides.reduce((value, o) => withValue(value, parsed, o.path, o.value), declared);
  const found = problems(study.profile, profile);
  if (found.length > 0) throw new UsageError('BAD_OVERRIDE', found.map(p => blamed(p, overrides)).join('\n'));
  return { profile, overrides: changedFields(parsed, study.profile.parse(profile)) };
}

function parseOverride(text: string, fields: Fields): Override {
  const equals = text.indexOf('=');
  const written = text.slice(0, Math.max(0, equals)).trim();
  const names = written.replaceAll(/\[(\d+)\]/g, '.$1').split('.');
  if (written === '' || names.includes('')) throw new UsageError('BAD_OVERRIDE', `--set: expected path=value, e.g. distill.epochs=5, got '${text}'`);
  return { text, path: resolvePath(names, text, fields), value: parseValue(text.slice(equals + 1).trim()) };
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** Words that other languages have for `null`. */
const NONE = /=\s*(?:none|null|nil)\s*$/i;

/** Where `null` and any text are allowed, `None` would be taken for a text. In quotes it is one, and where it is a choice of its own. */
function refuseNone({ text, path, value }: Override, declared: unknown, parsed: ProfileBase, study: Study): void {
  if (value === null || !NONE.test(text)) return;
  const allows = (other: unknown): boolean => !problems(study.profile, withValue(declared, parsed, path, other)).some(p => holds(path, p.path) || holds(p.path as FieldPath, path));
  const isChoice = allows(value) && !allows(`${value as string} or another`);
  if (isChoice || !allows(null)) return;
  throw new UsageError(
    'BAD_OVERRIDE',
    `--set ${text}: expected null for none, got the word ${value as string}; write ${pathText(path)}=null, or the word in double quotes where it is meant as text: '${pathText(path)}="${value as string}"'`,
  );
}

/** Fields of every profile that have selectors of their own. */
const ELSEWHERE = new Map([
  ['name', 'a profile is named as its file; choose one with --profile'],
  ['seeds', 'give the seeds of the replicates with --seeds'],
  ['verdicts', 'how claims are judged is declared before anything is run; write it into the profile'],
]);

function resolvePath(names: readonly string[], text: string, fields: Fields): FieldPath {
  const refuse = (message: string): UsageError => new UsageError('BAD_OVERRIDE', `--set ${text}: ${message}`);
  const elsewhere = ELSEWHERE.get(names[0]!);
  if (elsewhere !== undefined) throw refuse(elsewhere);
  const matches = matching(names, fields);
  if (matches.length === 0) throw refuse(executionOnly(names.at(-1)!) ?? `the profile has no field '${names.join('.')}'${hint(names, fields)}`);
  if (matches.length > 1) throw refuse(`expected one field, got ${matches.length}: ${matches.map(pathText).join(', ')}`);
  return matches[0]!;
}

/** The field of exactly this path, or else every field whose path holds the names in order and ends with the last; fields that the profile has go first. */
function matching(names: readonly string[], { present, possible }: Fields): readonly FieldPath[] {
  const exact = [...present, ...possible].find(path => isDeepStrictEqual(path.map(String), names));
  if (exact) return [exact];
  const has = present.filter(path => abbreviates(names, path));
  return has.length > 0 ? has : possible.filter(path => abbreviates(names, path));
}

function abbreviates(names: readonly string[], path: FieldPath): boolean {
  let next = 0;
  for (const part of path) if (String(part) === names[next]) next += 1;
  return next === names.length && String(path.at(-1)) === names.at(-1);
}

/** With each unknown name replaced by the nearest, or by one that holds it, what is meant; else the fields of that name; else the outermost fields. */
function hint(names: readonly string[], fields: Fields): string {
  const paths = [...fields.present, ...fields.possible];
  const known = [...new Set(paths.flat().map(String))];
  const mend = (name: string): string => (known.includes(name) ? name : (nearestName(name, known) ?? known.find(k => k.includes(name)) ?? name));
  const mended = matching(names.map(mend), fields);
  const meant = mended.length > 0 ? mended : matching(names.slice(-1), fields);
  if (meant.length > 0) return `; did you mean ${meant.map(path => `'${pathText(path)}'`).join(' or ')}?`;
  return suggest(names[0]!, [...new Set(paths.map(path => String(path[0])))]);
}

const holds = (outer: FieldPath, inner: readonly PropertyKey[]): boolean => outer.every((part, i) => part === inner[i]);

/** The result may not depend on the order in which overrides are given. */
function refuseOverlap(overrides: readonly Override[]): void {
  overrides.forEach((a, i) => {
    const b = overrides.slice(0, i).find(o => holds(o.path, a.path) || holds(a.path, o.path));
    if (b && !(pathText(a.path) === pathText(b.path) && isDeepStrictEqual(a.value, b.value))) {
      throw new UsageError('BAD_OVERRIDE', `--set: expected one value for ${pathText(a.path)}, got '${b.text}' and '${a.text}'`);
    }
  });
}

/** The declared profile is valid, so every problem is of some override: the one at the field, or else all together. */
function blamed({ path, message }: Problem, overrides: readonly Override[]): string {
  const guilty = overrides.filter(o => holds(o.path, path) || holds(path as FieldPath, o.path));
  const at = guilty.length === 1 && holds(guilty[0]!.path, path) ? path.slice(guilty[0]!.path.length) : path;
  const named = (guilty.length > 0 ? guilty : overrides).map(o => `--set ${o.text}`).join(' ');
  return `${named}: ${at.length > 0 ? `${pathText(at)}: ` : ''}${message}`;
}
