/**
 * Texts that a reader cannot tell apart. Taken as alike: other forms of one character (NFKC: full width, ligatures, superscripts), upper and
 * lower case, any spaces, characters that are not seen, dashes and apostrophes of all kinds, and Cyrillic and Greek letters that are drawn
 * as Latin ones. Not as alike: characters of one script, such as 0 and O or 1 and l.
 */
import { pathText, type Path, type Problem } from './problems.ts';

/** Letters and the Latin ones that they are drawn as, by Unicode's confusables.txt. */
const DRAWN_AS: ReadonlyMap<string, string> = new Map(
  [
    // Cyrillic
    ['АВЕЅІЈКМНОРСТУХԌԚԜЗаеѕіјорсухһԁԛԝѵӏ', 'ABESIJKMHOPCTYXGQW3aesijopcyxhdqwvl'],
    // Greek
    ['ΑΒΕΖΗΙΚΜΝΟΡΤΥΧαγινορυϳ', 'ABEZHIKMNOPTYXayivopuj'],
  ].flatMap(([foreign = '', latin = '']) => Array.from(foreign).map((letter, i): [string, string] => [letter, latin[i]!])),
);

/** Not drawn at all; U+2800 is a pattern of Braille without a point. */
const UNSEEN = /[\p{Default_Ignorable_Code_Point}\u2800]/gu;

const LETTER = /./gsu;

function drawn(text: string): string {
  const plain = text
    .normalize('NFKC')
    .replace(UNSEEN, '')
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .replace(/[\p{Dash_Punctuation}\u2212]/gu, '-')
    .replace(/[\u2018\u2019\u2032]/g, "'");
  return plain
    .replace(LETTER, letter => DRAWN_AS.get(letter) ?? letter)
    .toLowerCase()
    .trim();
}

export const isSeen = (text: string): boolean => drawn(text) !== '';

/** With what a reader cannot see, or takes for another letter, as its code. */
const spelled = (text: string): string =>
  text.replace(LETTER, letter => (DRAWN_AS.has(letter) || /[\p{Default_Ignorable_Code_Point}\u2800\p{Cc}]|(?! )\s/u.test(letter) ? `\\u{${letter.codePointAt(0)!.toString(16)}}` : letter));

/** @param labels that stand in one table, in order, with where they are declared */
export function lookalikes(labels: readonly (readonly [label: string, at: Path])[]): Problem[] {
  const first = new Map<string, readonly [label: string, at: Path]>();
  return labels.flatMap(([label, at]) => {
    const other = first.get(drawn(label));
    if (other === undefined) first.set(drawn(label), [label, at]);
    return other === undefined
      ? []
      : [{ path: at, message: `expected a label that a reader can tell from others, got '${spelled(label)}', which looks like '${spelled(other[0])}' of ${pathText(other[1])}` }];
  });
}
