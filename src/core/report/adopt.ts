/** `ablate adopt`: numbers that were not run here, out of a CSV file. What is wrong with any of its lines refuses the whole. */
import { basename } from 'node:path';
import { readFileSync } from 'node:fs';
import { CsvError, parse } from 'csv-parse/sync';
import type { AblationDeclaration, Study } from '../ablation/declaration.ts';
import { UsageError } from '../ablation/errors.ts';
import { measuresOf } from '../ablation/measures.ts';
import { suggest } from '../ablation/suggest.ts';
import { lstatIfThere, requireFile } from '../disk/beneath.ts';
import { oneLine, shorten } from '../text/clean.ts';
import { plural } from '../text/format.ts';
import type { ReportInput } from './model/build.ts';
import type { ShownMeasure } from './model/measure.ts';
import { shownMeasure } from './model/usage.ts';
import { adoptedPlace, adoptedText, LONGEST_NOTE, type AdoptedNumber } from './records/adopted.ts';

/** Bytes of the largest file: a hundred thousand numbers are fewer. */
const MOST_BYTES = 16 * 1024 * 1024;
/** Characters of a line, behind which a quotation mark was surely forgotten. */
const LONGEST_LINE = 10_000;
const COLUMNS = ['ablation', 'arm', 'seed', 'metric', 'value', 'note'] as const;
/** Of many problems the first ones tell enough. */
const SHOWN = 5;
const HIGHEST_SEED = 2 ** 32 - 1;

type Row = Readonly<Record<(typeof COLUMNS)[number], string>>;

/** What says which numbers there can be. */
export type AdoptionInput = Pick<ReportInput, 'study' | 'profile' | 'ablations' | 'records'> & {
  /** Those that the report has. */
  readonly adopted: readonly AdoptedNumber[];
};

/** @throws UsageError when it is no file of text of a sensible size */
export function readAdoptionFile(file: string): string {
  const stats = lstatIfThere(file);
  if (stats === undefined) throw new UsageError('NO_FILE', `Expected a CSV file of numbers, got ${file}, which does not exist`);
  if (stats.isSymbolicLink()) throw new UsageError('LINK', `${file}: expected a file of its own, got a symbolic link. Name the file that it leads to.`);
  requireFile(stats, file, MOST_BYTES);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new UsageError('NOT_TEXT', `${file}: expected text in UTF-8, got other bytes. Save it as UTF-8.`, { cause });
  }
}

/**
 * The numbers of a CSV file with the columns ablation, arm, seed, metric, value, note: values in the unit that tables show, percent where results are fractions.
 * @param file its name, for messages
 * @throws UsageError with the lines that are not right; none is taken then
 */
export function parseAdoption(text: string, file: string, input: AdoptionInput): AdoptedNumber[] {
  const name = basename(file);
  const [header, ...rows] = recordsOf(text, name);
  const place = columnsOf(header?.cells ?? [], name);
  if (rows.length === 0) throw new UsageError('NO_NUMBERS', `${name}: expected a line for each number below the header, got none`);
  const problems: string[] = [];
  const taken = new Map(input.adopted.map(number => [adoptedPlace(number), { value: number.value, where: 'the report already has' }]));
  const numbers = rows.flatMap(({ line, cells }): AdoptedNumber[] => {
    try {
      if (cells.length !== COLUMNS.length) throw new RowProblem(`expected ${COLUMNS.length} cells as in the header, got ${cells.length}. A cell with a comma in it stands in double quotes`);
      const number = numberOf(Object.fromEntries(COLUMNS.map((column, i) => [column, cells[place[i]!]!])) as Row, input);
      refuseOther(number, taken, line);
      return [number];
    } catch (error) {
      if (!(error instanceof RowProblem)) throw error;
      problems.push(`${name}, line ${line}: ${error.message}`);
      return [];
    }
  });
  if (problems.length > 0)
    throw new UsageError('BAD_NUMBERS', [...problems.slice(0, SHOWN), ...(problems.length > SHOWN ? [`and ${plural(problems.length - SHOWN, 'more line')}`] : []), 'Nothing was adopted.'].join('\n'));
  return numbers;
}

/** Whether there is still an arm and a measure of this name. */
export const isDeclared = ({ ablation, arm, metric }: AdoptedNumber, study: Study, ablations: readonly AblationDeclaration<object>[]): boolean =>
  ablations.some(declaration => declaration.name === ablation && declaration.arms.some(({ name }) => name === arm) && measuresOf(study, declaration).some(({ name }) => name === metric));

/** What is wrong with one line. */
class RowProblem extends Error {}

interface Line {
  /** From 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

function recordsOf(text: string, name: string): Line[] {
  try {
    const records = parse(text.replace(/\r\n?/g, '\n'), { info: true, bom: true, trim: true, relax_column_count: true, skip_empty_lines: true, max_record_size: LONGEST_LINE, record_delimiter: '\n' });
    return (records as unknown as { info: { lines: number }; record: string[] }[]).map(({ info, record }) => ({ line: info.lines, cells: record }));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new UsageError('NOT_CSV', `${name}: expected CSV, got: ${shorten(oneLine(error.message), 200)}. A cell with a quotation mark or a comma in it stands in double quotes, the mark doubled.`, {
      cause: error,
    });
  }
}

/** Where in a line each column stands. */
function columnsOf(header: readonly string[], name: string): number[] {
  const unknown = header.find(cell => !COLUMNS.some(column => column === cell));
  const isWhole = unknown === undefined && header.length === COLUMNS.length && COLUMNS.every(column => header.includes(column));
  if (isWhole) return COLUMNS.map(column => header.indexOf(column));
  const other =
    header.length === 1 && /[;\t]/.test(header[0]!)
      ? '. Cells are separated by commas'
      : unknown === undefined
        ? ''
        : suggest(
            unknown,
            COLUMNS.filter(column => !header.includes(column)),
          );
  throw new UsageError('BAD_HEADER', `${name}, line 1: expected the columns ${COLUMNS.join(', ')}, in any order, got ${header.length === 0 ? 'an empty file' : quoted(header.join(', '))}${other}`);
}

function numberOf({ ablation, arm, seed, metric, value, note }: Row, input: AdoptionInput): AdoptedNumber {
  const { study, profile, ablations, records } = input;
  const declaration = ablations.find(({ name }) => name === ablation);
  if (declaration === undefined) throw unknownName('an ablation', ablation, ablations);
  if (!declaration.arms.some(({ name }) => name === arm)) throw unknownName(`an arm of ${ablation}`, arm, declaration.arms);
  const measures = measuresOf(study, declaration);
  const measure = measures.find(({ name }) => name === metric) ?? measures.find(each => each.metric === metric);
  if (measure === undefined) throw unknownName(`a number that arms of ${ablation} are compared by`, metric, measures);
  return { ablation, arm, metric: measure.name, seed: seedOf(seed), value: valueOf(value, shownMeasure(study, profile, records, measure)), note: noteOf(note) };
}

const unknownName = (what: string, name: string, known: readonly { readonly name: string }[]): RowProblem =>
  new RowProblem(
    `expected ${what}, got ${quoted(name)}${suggest(
      name,
      known.map(each => each.name),
    )}`,
  );

function seedOf(text: string): number | null {
  if (text === '') return null;
  if (/^\d{1,10}$/.test(text) && Number(text) <= HIGHEST_SEED) return Number(text);
  throw new RowProblem(`seed: expected an integer from 0 to ${HIGHEST_SEED}, or nothing for a number without a seed, got ${quoted(text)}`);
}

const DECIMAL = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)( *%)?$/i;

/** Tables show fractions in percent, and so does the file; the result is in the unit of results. */
function valueOf(text: string, { label, unit, better }: ShownMeasure): number {
  const [, digits = '', percent] = DECIMAL.exec(text) ?? [];
  const value = Number(digits);
  const expected = (what: string, hint = ''): RowProblem => new RowProblem(`value: expected ${what}, got ${quoted(text)}${hint}`);
  if (digits === '' || !Number.isFinite(value)) throw expected(`a decimal number such as ${unit === 'fraction' ? '83.4' : '1.25'}`);
  if (unit !== 'fraction') {
    if (percent !== undefined) throw expected(`a number without a unit (${label} is no percentage)`);
    if (unit === 'count' && value < 0) throw expected('a count from 0');
    return value;
  }
  if (percent === undefined && value > 0 && value <= 1) {
    throw expected(`${label} in percent, as tables show it`, `, which is doubtful. Write ${Number((100 * value).toPrecision(15))}; or, where ${digits} percent is meant, ${digits}%`);
  }
  if (value < 0 || (better === 'higher' && value > 100)) throw expected(`${label} in percent, ${better === 'higher' ? 'from 0 to 100' : 'from 0'}`);
  return Number((value / 100).toPrecision(15));
}

function noteOf(text: string): string {
  const note = oneLine(text);
  if (note === '') throw new RowProblem('note: expected who gave this number and where from, got nothing');
  if (note !== text.replace(/ +/g, ' ').trim()) throw new RowProblem(`note: expected one line of text, got control characters or line breaks in ${quoted(text)}`);
  if (note.length > LONGEST_NOTE) throw new RowProblem(`note: expected at most ${LONGEST_NOTE} characters, got ${note.length}`);
  return note;
}

/** One source gives one value: of this file, and of what was adopted before. */
function refuseOther(number: AdoptedNumber, taken: Map<string, { readonly value: number; readonly where: string }>, line: number): void {
  const place = adoptedPlace(number);
  const known = taken.get(place);
  if (known !== undefined && known.value !== number.value) {
    const mend = known.where.startsWith('line')
      ? 'Keep one of them, or say in their notes what tells them apart'
      : "To take this one instead: ablate report --prune --adopted '...' with that note, then adopt the file again";
    throw new RowProblem(`expected one value from one source for ${adoptedText(number)}, got another than ${known.where} (as a result: ${number.value} and ${known.value}). ${mend}`);
  }
  if (known === undefined) taken.set(place, { value: number.value, where: `line ${line} has` });
}

const quoted = (text: string): string => `'${shorten(oneLine(text), 80)}'`;
