import fc from 'fast-check';
import { expect, test } from 'vitest';
import mini from '../grid/profiles/mini.ts';
import { changedFields, valuePaths, type FieldPath } from '../../src/core/ablation/fields.ts';
import { canonicalJson } from '../../src/core/ablation/json.ts';
import { applyOverrides } from '../../src/core/ablation/overrides.ts';
import { pathText } from '../../src/core/ablation/problems.ts';
import study from '../../src/tinymim/study.ts';

const parsed = study.profile.parse(mini);
const valueAt = (path: FieldPath): unknown => path.reduce<unknown>((v, part) => (v as Record<string | number, unknown>)[part], parsed);
/** What is said of fields is none: names of sources are whole paths; and how claims are judged is no choice of a command. */
const leaves = valuePaths(parsed).filter(path => !['name', 'seeds', 'verdicts', 'sources'].includes(String(path[0])));
const numbers = leaves.filter(path => typeof valueAt(path) === 'number');
const numeric = fc.constantFrom(...numbers);

/** Values that most numeric fields take; what the schema refuses is passed over. */
const changes = fc
  .uniqueArray(fc.tuple(numeric, fc.constantFrom(1, 2, 0.5, 4, 0)), { selector: ([path]) => pathText(path), minLength: 1, maxLength: 4 })
  .map(list => list.map(([path, value]) => `${pathText(path)}=${value}`))
  .filter(sets => {
    try {
      return applyOverrides(mini, parsed, sets, study).overrides.length >= 0;
    } catch {
      return false;
    }
  });
const apply = (sets: readonly string[]): { profile: unknown; overrides: readonly string[] } => {
  const { profile, overrides } = applyOverrides(mini, parsed, sets, study);
  return { profile: study.profile.parse(profile), overrides };
};

test('the order in which overrides are given does not matter', () => {
  fc.assert(
    fc.property(changes, sets => {
      expect(apply([...sets].reverse())).toEqual(apply(sets));
    }),
  );
});

test('what is recorded of overrides says the same again, and says all', () => {
  fc.assert(
    fc.property(changes, sets => {
      const first = apply(sets);
      expect(apply(first.overrides)).toEqual(first);
      expect(canonicalJson(first.profile) === canonicalJson(parsed)).toBe(first.overrides.length === 0);
    }),
  );
});

test('a field set to the value it has is no override', () => {
  fc.assert(
    fc.property(fc.constantFrom(...leaves), path => {
      expect(apply([`${pathText(path)}=${canonicalJson(valueAt(path))}`])).toEqual({ profile: parsed, overrides: [] });
    }),
  );
});

/** What a change comes to, or why it is refused. */
function overridesOrRefusal(set: string): readonly string[] | string {
  try {
    return apply([set]).overrides;
  } catch (error) {
    return (error as Error).message;
  }
}

test('an abbreviation either means the one field or is refused with that field among the candidates', () => {
  const answers = new Set<string>();
  fc.assert(
    fc.property(
      numeric.filter(path => typeof path.at(-1) === 'string'),
      fc.infiniteStream(fc.boolean()),
      (path, keep) => {
        const short = path.filter((_, i) => i === path.length - 1 || keep.next().value === true);
        const text = pathText(path);
        const answer = overridesOrRefusal(`${pathText(short)}=${valueAt(path) as number}`);
        answers.add(typeof answer);
        if (typeof answer === 'object') expect(answer).toEqual([]);
        else {
          expect(answer).toMatch(/expected one field, got \d+: /);
          expect(answer).toContain(text);
        }
      },
    ),
  );
  expect([...answers].sort()).toEqual(['object', 'string']);
});

test('the fields that changed are none exactly when two values are equal', () => {
  const value = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 });
  fc.assert(
    fc.property(value, value, (a, b) => {
      expect(changedFields(a, a)).toEqual([]);
      const lost = Object.keys(a).some(name => !(name in b));
      if (!lost) expect(changedFields(a, b).length === 0).toBe(canonicalJson(a) === canonicalJson(b));
    }),
    { numRuns: 500 },
  );
});
