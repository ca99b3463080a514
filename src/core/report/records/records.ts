/**
 * The records a report is made of: plain data, one per stage that reached an end. They are committed beside the report as
 * `results.jsonl`, one record a line in a fixed order, so that a reviewer rebuilds the report from them and the
 * declarations, without a store or an engine, and two branches merge line by line.
 */
import { z } from 'zod';
import { AblateError } from '../../ablation/errors.ts';

/** A record file that is not one. */
export class RecordError extends AblateError {}

/** Points of a curve: `[epoch, value]`, epochs ascending. */
export type CurvePoint = [epoch: number, value: number];

const finite = z.number();
/** As the provenance of an attempt has it. */
export const hashOfCode = z.string().regex(/^[0-9a-f]{32}$/);

const use = z.strictObject({
  ablation: z.string(),
  arm: z.string(),
  /** Seed of the replicate, which a shared teacher does not have itself. */
  seed: z.int().min(0),
  /** Place of the stage in this arm. */
  role: z.string(),
});

const shape = z.strictObject({
  key: z.string().min(1),
  kind: z.string(),
  /** Seed of the stage itself. */
  seed: z.int().min(0),
  state: z.enum(['done', 'failed']),
  /** Kinds behind it whose code has changed since, with the revision that they had: it stands until a rerun replaces it. */
  earlierRevisions: z.record(z.string(), z.int().min(1)).optional(),
  /** Why it failed, in one line without paths or hosts. */
  reason: z.string().optional(),
  /** Every place where a declared arm needs this stage. */
  uses: z.array(use).min(1),
  result: z.record(z.string(), z.union([finite, z.string()])),
  cost: z.strictObject({ labelledImages: finite.min(0), unlabelledImages: finite.min(0), flops: finite.min(0) }),
  curves: z.record(z.string(), z.array(z.tuple([finite, finite]))),
  /** SHA-256 of `result.json`, absent for a failed stage. */
  resultSha256: z.string().optional(),
  /** SHA-256 of `items.bin`, where the stage left one. */
  itemsSha256: z.string().optional(),
  /** Hash of the files that the module of its kind loads; absent: unknown, as in records of older versions. */
  codeHash: hashOfCode.optional(),
});

export type ReportRecord = z.infer<typeof shape> & {
  /** That file in base64. It stands in `items.jsonl`, not in the record's line. */
  items?: string | undefined;
};
export type RecordUse = z.infer<typeof use>;

/** Points that a curve keeps. @internal */
export const CURVE_POINTS = 100;

/**
 * Cuts a curve to at most `limit` points: as many windows of near equal length, each given by its last epoch and the mean
 * of its values, so that a noisy loss reads as a line. A curve that already fits is kept as it is. Values that are not
 * finite are left out; epochs keep 4 decimals and values 6 significant digits.
 */
export function cutCurve(points: readonly CurvePoint[], limit = CURVE_POINTS): CurvePoint[] {
  const kept = points.filter(([epoch, value]) => Number.isFinite(epoch) && Number.isFinite(value));
  const windows = Math.min(limit, kept.length);
  return Array.from({ length: windows }, (_, i) => {
    const window = kept.slice(Math.floor((i * kept.length) / windows), Math.floor(((i + 1) * kept.length) / windows));
    const value = window.reduce((sum, point) => sum + point[1], 0) / window.length;
    return [Number(window.at(-1)![0].toFixed(4)), Number(value.toPrecision(6))];
  });
}

/** A place of a stage within an arm, as text to compare. */
export const placeText = ({ ablation, arm, seed, role }: RecordUse): string => JSON.stringify([ablation, arm, seed, role]);

/** Compares by code unit: the same order on every machine, whatever its locale. */
export const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const byUse = (a: RecordUse, b: RecordUse): number => byText(a.ablation, b.ablation) || byText(a.arm, b.arm) || a.seed - b.seed || byText(a.role, b.role);

const sortedEntries = <V>(object: Readonly<Record<string, V>>): Record<string, V> => Object.fromEntries(Object.entries(object).sort(([a], [b]) => byText(a, b)));

/** The same record with its fields, uses and metrics in their one order. */
function canonical(record: ReportRecord): ReportRecord {
  return {
    key: record.key,
    kind: record.kind,
    seed: record.seed,
    state: record.state,
    ...(record.earlierRevisions === undefined ? {} : { earlierRevisions: sortedEntries(record.earlierRevisions) }),
    ...(record.reason === undefined ? {} : { reason: record.reason }),
    uses: [...record.uses].sort(byUse).map(({ ablation, arm, seed, role }) => ({ ablation, arm, seed, role })),
    result: sortedEntries(record.result),
    cost: {
      labelledImages: record.cost.labelledImages,
      unlabelledImages: record.cost.unlabelledImages,
      flops: record.cost.flops,
    },
    curves: sortedEntries(record.curves),
    ...(record.resultSha256 === undefined ? {} : { resultSha256: record.resultSha256 }),
    ...(record.codeHash === undefined ? {} : { codeHash: record.codeHash }),
    ...(record.itemsSha256 === undefined ? {} : { itemsSha256: record.itemsSha256 }),
    ...(record.items === undefined ? {} : { items: record.items }),
  };
}

/** The record in words: `distill of relation/qk-vv and 2 more, seed 0`. */
export function recordText({ kind, uses, seed }: ReportRecord): string {
  const [first, ...others] = uses;
  return `${kind} of ${first!.ablation}/${first!.arm}${others.length === 0 ? '' : ` and ${others.length} more`}, seed ${seed}`;
}

/**
 * Records in their one order: by kind, then key.
 * @throws RecordError when two records have the same key, or stand for the same stage of an arm.
 */
export function sortRecords(records: readonly ReportRecord[]): ReportRecord[] {
  const sorted = records.map(canonical).sort((a, b) => byText(a.kind, b.kind) || byText(a.key, b.key));
  refuseSharedKeys(sorted);
  refuseSharedPlaces(sorted);
  return sorted;
}

function refuseSharedKeys(sorted: readonly ReportRecord[]): void {
  const seen = new Set<string>();
  for (const { key } of sorted) {
    if (seen.has(key)) {
      throw new RecordError(
        'DUPLICATE_RECORD',
        `Expected one record per stage, got two with key ${key}. After a merge \`ablate report --rebuild\` joins records that differ in their uses only; else remove one of the lines.`,
      );
    }
    seen.add(key);
  }
}

/** Two numbers for one stage of an arm: a merge brought back a line that one of the branches had replaced. */
function refuseSharedPlaces(sorted: readonly ReportRecord[]): void {
  const taken = new Map<string, string>();
  for (const { key, uses } of sorted) {
    for (const use of uses) {
      const place = placeText(use);
      const other = taken.get(place);
      if (other !== undefined) {
        throw new RecordError(
          'PLACE_TAKEN',
          `Expected one record for ${use.ablation}/${use.arm}, seed ${use.seed}, stage ${use.role}, got ${other} and ${key}. \`ablate report --rebuild\` keeps the one that the declarations need; or remove the other line.`,
        );
      }
      taken.set(place, key);
    }
  }
}

/** `results.jsonl`: one record a line. */
export const serializeRecords = (records: readonly ReportRecord[]): string =>
  sortRecords(records)
    .map(record => `${JSON.stringify({ ...record, items: undefined })}\n`)
    .join('');

/**
 * Reads `results.jsonl`.
 * @throws RecordError with the number of the line that is not a record.
 */
export const parseRecords = (text: string): ReportRecord[] => sortRecords(parseLines(text));

/**
 * Reads a `results.jsonl` that git has merged line by line: records of one key that differ in their uses only, or of which one alone has a curve, a
 * number or vouches for items, become one with those of both. They may still stand for the same stage of an arm; {@link sortRecords} refuses that.
 * @throws RecordError when two records of one key differ in anything else.
 */
export function parseMergedRecords(text: string): ReportRecord[] {
  const byKey = new Map<string, ReportRecord>();
  for (const record of parseLines(text).map(canonical)) {
    const known = byKey.get(record.key);
    byKey.set(record.key, known === undefined ? record : joined(known, record));
  }
  return [...byKey.values()];
}

/**
 * Of two results of one stage the one that has every number of the other and more, which that of an older version lacks; undefined where neither is.
 */
export function tellsMore(a: ReportRecord, b: ReportRecord): ReportRecord | undefined {
  const [most, least] = Object.keys(a.result).length > Object.keys(b.result).length ? [a, b] : [b, a];
  const told = Object.entries(least.result);
  const isMore = told.length > 0 && told.length < Object.keys(most.result).length && told.every(([name, value]) => most.result[name] === value);
  return a.state === 'done' && b.state === 'done' && isMore ? most : undefined;
}

function joined(a: ReportRecord, b: ReportRecord): ReportRecord {
  if (a.state !== b.state) return { ...(a.state === 'done' ? a : b), uses: joinedUses(a, b) }; // a failure that was mended
  // Which curves are kept follows from the uses; older versions kept no items.
  const { result, resultSha256 } = tellsMore(a, b) ?? a;
  const both = { curves: { ...a.curves, ...b.curves }, itemsSha256: a.itemsSha256 ?? b.itemsSha256, result, resultSha256 };
  const alone = (record: ReportRecord): ReportRecord =>
    canonical({
      ...record,
      uses: [],
      earlierRevisions: undefined,
      codeHash: undefined,
      curves: { ...both.curves, ...record.curves },
      itemsSha256: record.itemsSha256 ?? both.itemsSha256,
      ...(tellsMore(a, b) !== undefined && { result, resultSha256 }),
    });
  const [x, y] = [alone(a), alone(b)];
  const fields = Object.keys({ ...x, ...y }).filter(name => JSON.stringify(x[name as keyof ReportRecord]) !== JSON.stringify(y[name as keyof ReportRecord]));
  if (fields.length > 0) {
    throw new RecordError(
      'RECORDS_DISAGREE',
      `Expected the records with key ${a.key} to differ in their uses only, got different ${fields.join(', ')}. Keep the line of the run that you trust, remove the other.`,
    );
  }
  // Two states of the code that gave the same: either may stand, if it is always the same one.
  const [codeHash] = [a.codeHash, b.codeHash].filter(known => known !== undefined).sort(byText);
  return { ...a, ...both, uses: joinedUses(a, b), codeHash };
}

const joinedUses = (a: ReportRecord, b: ReportRecord): RecordUse[] => [...new Map([...a.uses, ...b.uses].map(use => [placeText(use), use])).values()];

const parseLines = (text: string): ReportRecord[] => text.split('\n').flatMap((line, i) => (line.trim() === '' ? [] : [parseLine(line, i + 1)]));

function parseLine(line: string, number: number): ReportRecord {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (cause) {
    throw new RecordError('RECORD_NOT_JSON', `Expected a JSON object on line ${number} of results.jsonl, got text that does not parse. Rebuild the file with \`ablate report\`.`, { cause });
  }
  const parsed = shape.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new RecordError('RECORD_SHAPE', `Expected a record on line ${number} of results.jsonl: ${z.prettifyError(parsed.error)}\nRebuild the file with \`ablate report\`.`);
}
