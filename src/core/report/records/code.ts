/** Which code made each number: a hash of the files that the module of its kind loads. Records without one are of unknown code, not of another. */
import { oneLine } from '../../text/clean.ts';
import { formatCode, plural } from '../../text/format.ts';
import { byText, type ReportRecord } from './records.ts';

/** Hashes of the code behind stages of a kind, with how many there are of each; undefined stands for unknown code. */
export type CodesByKind = ReadonlyMap<string, ReadonlyMap<string | undefined, number>>;

type Made = Pick<ReportRecord, 'kind' | 'codeHash'>;

/** Kinds of which there is more than one hash. */
export function mixedCodes(stages: readonly Made[]): CodesByKind {
  const byKind = new Map<string, Map<string | undefined, number>>();
  for (const { kind, codeHash } of stages) {
    const codes = byKind.get(kind) ?? new Map<string | undefined, number>();
    byKind.set(kind, codes.set(codeHash, (codes.get(codeHash) ?? 0) + 1));
  }
  return new Map([...byKind].filter(([, codes]) => [...codes.keys()].filter(code => code !== undefined).length > 1));
}

/** `distill, finetune: 0123456789ab (3 stages), cdef01234567 (1 stage)`; kinds of one module stand together. Undefined where none mixes. */
export function mixedCodeText(stages: readonly Made[]): string | undefined {
  const kinds = new Map<string, string[]>();
  for (const [kind, codes] of [...mixedCodes(stages)].sort(([a], [b]) => byText(a, b))) {
    const text = [...codes]
      .map(([code, count]) => [formatCode(code), count] as const)
      .sort(([a, m], [b, n]) => n - m || byText(a, b))
      .map(([code, count]) => `${code} (${plural(count, 'stage')})`)
      .join(', ');
    kinds.set(text, [...(kinds.get(text) ?? []), oneLine(kind)]);
  }
  return kinds.size === 0 ? undefined : [...kinds].map(([text, names]) => `${names.join(', ')}: ${text}`).join('; ');
}

/** Finished stages, each once. */
export const finishedOf = (records: readonly ReportRecord[]): ReportRecord[] => [...new Map(records.filter(({ state }) => state === 'done').map(record => [record.key, record])).values()];
