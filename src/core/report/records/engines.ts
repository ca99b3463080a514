/** Which engine each number came from: tables that mix engines say so, since engines differ in the last digits. */
import type { JsonObject, JsonValue } from '../../ablation/kind.ts';
import { plural } from '../../text/format.ts';
import type { ReportProvenance } from './provenance.ts';
import { byText, type ReportRecord } from './records.ts';
import { oneLine } from '../../text/clean.ts';

/** The engine behind a stage, in words: its name, mode and precision; and all that can make last digits differ. */
interface StageEngine {
  readonly name: string;
  readonly way: string;
  readonly text: string;
}

/** The engine behind each stage, by key. Stages that recorded none are absent. */
export type Engines = Readonly<Record<string, StageEngine>>;

export function enginesOf(provenance: ReportProvenance): Engines {
  return Object.fromEntries(
    Object.entries(provenance).flatMap(([key, facts]) => {
      const engine = engineOf(facts);
      return engine === undefined ? [] : [[key, engine]];
    }),
  );
}

const isObject = (value: JsonValue | undefined): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

/** What `provenance` recorded of the stage's own engine (`stage.engine`), and of the processor. */
function engineOf({ stage, cpu }: JsonObject): StageEngine | undefined {
  if (!isObject(stage) || !isObject(stage['engine'])) return undefined;
  const { name, libraryVersion: version, mode, precision, device, gpu } = stage['engine'];
  const join = (parts: readonly (JsonValue | undefined)[], by: string): string =>
    parts
      .filter(part => typeof part === 'string' && part !== '')
      .map(part => oneLine(part as string))
      .join(by);
  const changed = stage['engine_changed'] === true ? 'begun on another engine' : undefined;
  const text = join([join([name, version], ' '), join([mode, precision], ' '), device === 'gpu' ? gpuText(gpu) : cpu, changed, splitText(stage['micro_batches'])], ', ');
  return { name: join([name], ''), way: join([typeof mode === 'string' ? `mode ${mode}` : undefined, precision], ', '), text };
}

/** The libraries that compute on a GPU, by the fields of an engine's record. */
const ON_GPU = { card: '', driver: 'driver ', cuda: 'CUDA ', cublas: 'cuBLAS ', cudnn: 'cuDNN ' };

/** `NVIDIA H100, driver 570.86, CUDA 12.9, ...`, as far as it is recorded. */
function gpuText(gpu: JsonValue | undefined): string {
  if (!isObject(gpu)) return 'a GPU';
  const parts = Object.entries(ON_GPU).flatMap(([name, title]) => (typeof gpu[name] === 'string' && gpu[name] !== '' ? [title + oneLine(gpu[name])] : []));
  return parts.length > 0 ? parts.join(', ') : 'a GPU';
}

const SPLIT = 'for want of memory';
/** `micro_batches` is recorded by stages that were split after they had run out of memory. */
const splitText = (factor: JsonValue | undefined): string | undefined => (typeof factor === 'number' && factor > 1 ? `in ${factor} times as many micro-batches ${SPLIT}` : undefined);

/** A footnote for numbers of one table that come from several engines; or of a batch that was split; undefined when one engine made them all in one way. */
export function mixedEngines(records: readonly ReportRecord[], engines: Engines): string | undefined {
  const counts = new Map<string, number>();
  for (const { key, state } of records) {
    const engine = state === 'done' ? engines[key]?.text : undefined;
    if (engine !== undefined) counts.set(engine, (counts.get(engine) ?? 0) + 1);
  }
  if (counts.size < 2 && ![...counts.keys()].some(text => text.endsWith(SPLIT))) return undefined;
  const parts = [...counts].sort(([a, m], [b, n]) => n - m || byText(a, b)).map(([engine, count]) => `${engine} (${plural(count, 'stage')})`);
  return `Stages of this table ran on different engines or in different ways, so that their last digits are not bit-equal: ${parts.join('; ')}.`;
}

/**
 * What computed these results, for the head of a report: the titles of the engines, each with its modes and precisions. Without versions
 * and processors, which do not decide what a number means. Undefined where no stage recorded its engine.
 */
export function enginesText(records: readonly ReportRecord[], engines: Engines, titles: Readonly<Record<string, string>>): string | undefined {
  const used = records.flatMap(({ key, state }) => (state === 'done' && engines[key] !== undefined ? [engines[key]] : []));
  const texts = new Set(used.map(({ name, way }) => [Object.hasOwn(titles, name) ? titles[name]! : name, way].filter(part => part !== '').join(', ')));
  return texts.size === 0 ? undefined : [...texts].sort(byText).join('; ');
}
