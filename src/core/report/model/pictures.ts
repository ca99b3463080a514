/** Pictures that stages left in their results, as a table: what all arms share, then what each came to. */
import type { PictureDeclaration, ProfileBase, Study } from '../../ablation/declaration.ts';
import { oneLine } from '../../text/clean.ts';
import type { Placed } from './usage.ts';

export interface PictureTable {
  readonly title: string;
  /** How to read them; undefined: they need no words. */
  readonly legend: string | undefined;
  readonly columns: readonly string[];
  readonly rows: readonly PictureRow[];
}

interface PictureRow {
  readonly label: string;
  /** One for each column; undefined: there is none. */
  readonly cells: readonly (Picture | undefined)[];
}

interface Picture {
  /** `data:image/png;base64,...` */
  readonly address: string;
  /** For who does not see it. */
  readonly alt: string;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
}

interface PicturedArm {
  readonly label: string;
  readonly placed: readonly Placed[];
}

/** Those that some arm of an ablation has, each of one seed: the first that counts. */
export function pictureTables(study: Study, profile: ProfileBase, arms: readonly PicturedArm[], declared: readonly number[]): PictureTable[] {
  return (study.report.pictures ?? []).flatMap(declaration => {
    const pictured = arms.flatMap(({ label, placed }) => {
      const ofRole = placed.filter(({ role, record }) => role === declaration.own.role && record.state === 'done');
      const first = ofRole.find(({ seed }) => declared.includes(seed)) ?? ofRole[0];
      return first === undefined ? [] : [{ label, results: resultsOf(placed, first.seed) }];
    });
    return pictured.length === 0 ? [] : [tableOf(declaration, profile, pictured)];
  });
}

type Results = ReadonlyMap<string, Placed['record']['result']>;

/** Of a replicate, by role. */
const resultsOf = (placed: readonly Placed[], ofSeed: number): Results =>
  new Map(placed.filter(({ seed, record }) => seed === ofSeed && record.state === 'done').map(({ role, record }) => [role, record.result]));

function tableOf(declaration: PictureDeclaration, profile: ProfileBase, arms: readonly { readonly label: string; readonly results: Results }[]): PictureTable {
  const { title, rows, about, shared, own } = declaration;
  const common = arms[0]!.results;
  const told = (row: string): string => {
    const text = about && common.get(about.role)?.[`${about.prefix}${row}`];
    return typeof text === 'string' ? `: ${oneLine(text)}` : '';
  };
  const cells = (row: string): (Picture | undefined)[] => [
    ...shared.map(({ role, prefix, label }) => pictureOf(common.get(role)?.[`${prefix}${row}`], `${label} ${row}${told(row)}`)),
    ...arms.map(({ label, results }) => pictureOf(results.get(own.role)?.[`${own.prefix}${row}`], `${label}, ${row}`)),
  ];
  return {
    title: oneLine(title),
    legend: declaration.legend && oneLine(declaration.legend(profile)),
    columns: [...shared.map(({ label }) => oneLine(label)), ...arms.map(({ label }) => label)],
    rows: rows.map(row => ({ label: oneLine(row), cells: cells(row) })),
  };
}

/** Records may be anybody's: what is no small PNG is no picture. */
const PNG = /^data:image\/png;base64,([A-Za-z0-9+/]+={0,2})$/;
const MOST_CHARACTERS = 40_000;
const MOST_PIXELS = 1024;
const HEAD = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');

function pictureOf(value: string | number | undefined, alt: string): Picture | undefined {
  if (typeof value !== 'string' || value.length > MOST_CHARACTERS) return undefined;
  const bytes = Buffer.from(PNG.exec(value)?.[1] ?? '', 'base64');
  if (bytes.length < HEAD.length + 8 || !bytes.subarray(0, HEAD.length).equals(HEAD)) return undefined;
  const [width, height] = [bytes.readUInt32BE(HEAD.length), bytes.readUInt32BE(HEAD.length + 4)];
  return [width, height].every(pixels => pixels > 0 && pixels <= MOST_PIXELS) ? { address: value, alt: oneLine(alt), width, height } : undefined;
}
