/** Numbers that were not run here as they stand in tables: in a column of their own, each with a sign that names its source. */
import { formatValue, listed, plural, type Unit } from '../../text/format.ts';
import type { Elsewhere } from '../model/elsewhere.ts';
import type { AblationReport, ArmRow } from '../model/model.ts';

/** Heads their column. */
export const ELSEWHERE = 'Elsewhere';

/** Of the notes of published and measured values each has another. */
const SIGN = '\u00b6';

type Rows = Pick<AblationReport, 'rows' | 'headroom'>;

const entriesOf = ({ rows, headroom }: Rows): Elsewhere[] => [...rows, ...headroom].flatMap(({ elsewhere }) => elsewhere);

/** Whether an arm of the table has one. */
export const hasElsewhere = (table: Rows): boolean => entriesOf(table).length > 0;

/** With its number where the ablation has several sources. @param sources of the ablation */
function signOf(note: string, sources: readonly string[]): string {
  return sources.length < 2 ? SIGN : `${SIGN}${sources.indexOf(note) + 1}`;
}

/** What stands behind a mean: `± 0.20, n 3`; empty for one number without a seed. */
function spreadText({ seeds, deviation }: Elsewhere, unit: Unit): string {
  return [...(deviation === undefined ? [] : [`\u00b1\u00a0${formatValue(deviation, unit)}`]), ...(seeds.length === 0 ? [] : [`n\u00a0${seeds.length}`])].join(', ');
}

/** Undefined where the arm has none. Of several sources one after the other. */
export function elsewhereCell({ elsewhere }: ArmRow, unit: Unit, sources: readonly string[]): { readonly text: string; readonly sign?: string; readonly detail?: string } | undefined {
  const [first, ...others] = elsewhere;
  if (first === undefined) return undefined;
  if (others.length > 0) return { text: elsewhere.map(each => [`${formatValue(each.mean, unit)}${signOf(each.note, sources)}`, spreadText(each, unit)].filter(Boolean).join(' ')).join('; ') };
  const detail = spreadText(first, unit);
  return { text: formatValue(first.mean, unit), sign: signOf(first.note, sources), ...(detail === '' ? {} : { detail }) };
}

/** The same in a sentence or beside another number: `elsewhere 83.40¶ ± 0.20, n 3`; undefined where the arm has none. */
export function elsewhereText(row: ArmRow, unit: Unit, sources: readonly string[]): string | undefined {
  const cell = elsewhereCell(row, unit, sources);
  return cell && [`elsewhere ${cell.text}${cell.sign ?? ''}`, cell.detail].filter(part => part !== undefined).join(' ');
}

/** A note for each source that these tables of one ablation have numbers of. */
export function elsewhereNotes(tables: readonly (Rows & Pick<AblationReport, 'sources'>)[]): string[] {
  const entries = tables.flatMap(entriesOf);
  return (tables[0]?.sources ?? []).flatMap(note => {
    const counts = entries.filter(entry => entry.note === note).map(({ seeds }) => seeds.length);
    return counts.length === 0 ? [] : [`${signOf(note, tables[0]!.sources)} not run here: ${note} (${countText(counts)})`];
  });
}

/** `3 seeds`, `1 to 3 seeds`, `without a seed`. */
function countText(counts: readonly number[]): string {
  const seeded = counts.filter(count => count > 0);
  const [least, most] = [Math.min(...seeded), Math.max(...seeded)];
  return listed([...(seeded.length < counts.length ? ['without a seed'] : []), ...(seeded.length === 0 ? [] : [`${least === most ? '' : `${least} to `}${plural(most, 'seed')}`])]);
}

/** How to read the column. */
export const ELSEWHERE_RULE = `${ELSEWHERE} (${SIGN}): numbers that were not run here, of each source its mean \u00b1 the sample standard deviation over its n seeds; they are in no difference, interval, verdict or count.`;
