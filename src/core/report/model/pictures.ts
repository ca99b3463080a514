/** Pictures that stages left in their results, as a table: what all arms share, then what each came to. */
import type { PictureColour, PictureDeclaration, ProfileBase, Study } from '../../ablation/declaration.ts';
import { oneLine } from '../../text/clean.ts';
import type { Placed } from './usage.ts';

export interface PictureTable {
  readonly title: string;
  /** How to read them; undefined: they need no words. */
  readonly legend: string | undefined;
  readonly colours: readonly PictureColour[];
  readonly columns: readonly string[];
  /** How many of the columns, the first ones, are the same for all arms. */
  readonly shared: number;
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
      const done = placed.filter(({ record }) => record.state === 'done');
      const own = declaration.own.find(({ role }) => done.some(one => one.role === role));
      const ofRole = done.filter(({ role }) => role === own?.role);
      const first = ofRole.find(({ seed }) => declared.includes(seed)) ?? ofRole[0];
      return own === undefined || first === undefined ? [] : [{ label, own, results: resultsOf(placed, first.seed) }];
    });
    return pictured.length === 0 ? [] : [tableOf(declaration, profile, pictured)];
  });
}

type Results = ReadonlyMap<string, Placed['record']['result']>;

/** Of a replicate, by role. */
const resultsOf = (placed: readonly Placed[], ofSeed: number): Results =>
  new Map(placed.filter(({ seed, record }) => seed === ofSeed && record.state === 'done').map(({ role, record }) => [role, record.result]));

interface ShownArm {
  readonly label: string;
  readonly own: PictureDeclaration['own'][number];
  readonly results: Results;
}

function tableOf(declaration: PictureDeclaration, profile: ProfileBase, arms: readonly ShownArm[]): PictureTable {
  const { title, rows, about, shared } = declaration;
  const common = arms[0]!.results;
  const told = (row: string): string => {
    const text = about && common.get(about.role)?.[`${about.prefix}${row}`];
    return typeof text === 'string' ? `: ${oneLine(text)}` : '';
  };
  const cells = (row: string): (Picture | undefined)[] => [
    ...shared.map(({ role, prefix, label }) => pictureOf(common.get(role)?.[`${prefix}${row}`], `${label} ${row}${told(row)}`)),
    ...arms.map(({ label, own, results }) => pictureOf(results.get(own.role)?.[`${own.prefix}${row}`], `${label}, ${row}`)),
  ];
  return {
    title: oneLine(title),
    legend: declaration.legend && oneLine(declaration.legend(profile)),
    colours: (declaration.colours?.(profile) ?? []).map(({ label, colour }) => ({ label: oneLine(label), colour })),
    columns: [...shared.map(({ label }) => oneLine(label)), ...arms.map(({ label }) => label)],
    shared: shared.length,
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
