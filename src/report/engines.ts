/** Which engine each number came from: tables that mix engines say so, since engines differ in the last digits. */
import type { JsonObject, JsonValue } from '../ablation/kind.ts';
import { plural } from './format.ts';
import type { ReportProvenance } from './provenance.ts';
import { byText, type ReportRecord } from './records.ts';
import { oneLine } from './text.ts';

/** Text of the engine behind each stage, by key: engine, library, mode, precision, processor. Stages that recorded none are absent. */
export type Engines = Readonly<Record<string, string>>;

export function enginesOf(provenance: ReportProvenance): Engines {
  return Object.fromEntries(Object.entries(provenance).flatMap(([key, facts]) => {
    const text = engineText(facts);
    return text === undefined ? [] : [[key, text]];
  }));
}

const isObject = (value: JsonValue | undefined): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

/** What `provenance` recorded of the stage's own engine (`stage.engine`), and of the processor. */
function engineText({ stage, cpu }: JsonObject): string | undefined {
  if (!isObject(stage) || !isObject(stage['engine'])) return undefined;
  const { name, libraryVersion, mode, precision, device } = stage['engine'];
  const join = (parts: readonly (JsonValue | undefined)[], by: string): string =>
    parts.filter(part => typeof part === 'string' && part !== '').map(part => oneLine(part as string)).join(by);
  const changed = stage['engine_changed'] === true ? 'begun on another engine' : undefined;
  return join([join([name, libraryVersion], ' '), join([mode, precision], ' '), device === 'gpu' ? 'a GPU' : cpu, changed, splitText(stage['micro_batches'])], ', ');
}

const SPLIT = 'for want of memory';
/** `micro_batches` is recorded by stages that were split after they had run out of memory. */
const splitText = (factor: JsonValue | undefined): string | undefined =>
  typeof factor === 'number' && factor > 1 ? `in ${factor} times as many micro-batches ${SPLIT}` : undefined;

/** A footnote for numbers of one table that come from several engines; or of a batch that was split; undefined when one engine made them all in one way. */
export function mixedEngines(records: readonly ReportRecord[], engines: Engines): string | undefined {
  const counts = new Map<string, number>();
  for (const { key, state } of records) {
    const engine = state === 'done' ? engines[key] : undefined;
    if (engine !== undefined) counts.set(engine, (counts.get(engine) ?? 0) + 1);
  }
  if (counts.size < 2 && ![...counts.keys()].some(text => text.endsWith(SPLIT))) return undefined;
  const parts = [...counts].sort(([a, m], [b, n]) => n - m || byText(a, b)).map(([engine, count]) => `${engine} (${plural(count, 'stage')})`);
  return `Stages of this table ran on different engines or in different ways, so that their last digits are not bit-equal: ${parts.join('; ')}.`;
}
