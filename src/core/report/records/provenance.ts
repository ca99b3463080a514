/**
 * Where and when the numbers were made: the one file of a report that differs between machines. It holds facts that help
 * to judge a run (`public-facts.ts` names them), and none that name a machine or a place on it.
 */
import { z } from 'zod';
import { parseJson } from '../../ablation/json.ts';
import type { JsonObject } from '../../ablation/kind.ts';
import { publicFacts } from './public-facts.ts';
import { byText, RecordError, type ReportRecord } from './records.ts';

/** Facts of the attempt behind each result (commit, engine, versions, processor, wall time, images per second), by stage key. */
export type ReportProvenance = Readonly<Record<string, JsonObject>>;

/** The facts behind these records alone. */
export const factsBehind = (records: readonly ReportRecord[], provenance: ReportProvenance): ReportProvenance =>
  Object.fromEntries(records.flatMap(({ key }) => (provenance[key] === undefined ? [] : [[key, provenance[key]]])));

/** `provenance.json`: what all stages have in common once, then what differs for each, in order of their keys. */
export function serializeProvenance(provenance: ReportProvenance): string {
  const stages = Object.keys(provenance)
    .sort(byText)
    .map(key => [key, publicFacts(provenance[key]!)] as const);
  const [first, ...others] = stages.map(([, facts]) => facts);
  const shared = Object.entries(first ?? {}).filter(([name, value]) => others.every(facts => JSON.stringify(facts[name]) === JSON.stringify(value)));
  const isShared = new Set(shared.map(([name]) => name));
  const own = stages.map(([key, facts]) => [key, Object.fromEntries(Object.entries(facts).filter(([name]) => !isShared.has(name)))] as const);
  return `${JSON.stringify({ all: Object.fromEntries(shared), stages: Object.fromEntries(own) }, null, 2)}\n`;
}

const facts = z.record(z.string(), z.json()) as z.ZodType<JsonObject>;
const file = z.object({ all: facts, stages: z.record(z.string(), facts) });

/** The facts of each stage out of `provenance.json`, as far as a report may hold them. @throws RecordError when it is not such a file */
export function parseProvenance(text: string): ReportProvenance {
  let json: unknown;
  try {
    json = parseJson(text);
  } catch {
    json = undefined;
  }
  const parsed = file.safeParse(json);
  if (!parsed.success) throw new RecordError('PROVENANCE_SHAPE', 'Expected provenance.json to hold the facts of `all` stages and of each, got something else. Rebuild it with `ablate report`.');
  const { all, stages } = parsed.data;
  return Object.fromEntries(Object.entries(stages).map(([key, own]) => [key, publicFacts({ ...all, ...own })]));
}
