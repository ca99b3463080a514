/**
 * Texts that decide graphs: a program that served one stage serves the next of the same signature. Made of whole recipes but
 * for the fields that do not reach the graph, so that a field that nobody thought of costs a compilation, never a wrong number.
 */
import { canonicalJson } from '../../core/ablation/json.ts';
import type { JsonObject } from '../../core/ablation/kind.ts';

/** Which images, in which order and how changed; how long, and at which rate: all of that comes in as inputs. Erased or mixed images come with inputs of their own. */
const DATA_AND_RATES = ['images', 'augment', 'schedule.epochs', 'schedule.warmup_epochs', 'schedule.base_lr', 'schedule.min_lr'] as const;

/** Fields of the recipes that do not decide the graph of a training step, by their paths. */
export const NOT_IN_GRAPH = {
  pretrain: DATA_AND_RATES,
  /** The teacher is a graph of its own, and the student is handed its image whether jittered or not. */
  distill: [...DATA_AND_RATES, 'student_jitter', 'teacher_block', 'teacher_drop_path', 'teacher_input', 'teacher_last_block_heads'],
  /** Labels come in as distributions. */
  classifier: [...DATA_AND_RATES, 'label_smoothing'],
} as const;

/** Signature of the step of a training. @param recipe whole, as its schema parses it */
export function trainingSignature(kind: keyof typeof NOT_IN_GRAPH, recipe: object): string {
  return graphSignature(
    kind,
    NOT_IN_GRAPH[kind].reduce<JsonObject>((left, path) => without(left, path.split('.')), recipe as JsonObject),
  );
}

/** Signature of a function that closes over `fields` alone. */
export function graphSignature(what: string, fields: object): string {
  return `${what} ${canonicalJson(fields, what)}`;
}

function without(value: JsonObject, [name, ...rest]: readonly string[]): JsonObject {
  const { [name!]: field, ...others } = value;
  return rest.length === 0 ? others : { ...others, [name!]: without(field as JsonObject, rest) };
}
