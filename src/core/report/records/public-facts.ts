/**
 * What a report tells of where its numbers were made: the fields named here, each of its own shape and length, and nothing else. A store
 * may have been copied, and a file in it be another than it seems: what is not named stays there, and so does `diff.patch`.
 */
import { hostname } from 'node:os';
import { z } from 'zod';
import type { JsonObject, JsonValue } from '../../ablation/kind.ts';
import { redact } from '../../text/clean.ts';
import { byText, hashOfCode } from './records.ts';

/** An object of these fields: one that is absent or of another shape is left out. */
const only = (fields: Readonly<Record<string, z.ZodType<JsonValue>>>) =>
  z.record(z.string(), z.unknown()).transform((facts): JsonObject => {
    const kept = Object.entries(fields).flatMap(([name, shape]) => {
      const found = shape.safeParse(Object.hasOwn(facts, name) ? facts[name] : undefined);
      return found.success ? [[name, found.data] as const] : [];
    });
    return Object.fromEntries(kept.sort(([a], [b]) => byText(a, b)));
  });

/** An object whose names and values are of these forms: other entries are left out. */
const entries = (name: RegExp, value: RegExp) =>
  z.record(z.string(), z.unknown()).transform((all): JsonObject => {
    const kept = Object.entries(all).filter((entry): entry is [string, string] => name.test(entry[0]) && typeof entry[1] === 'string' && value.test(entry[1]));
    return Object.fromEntries(kept.sort(([a], [b]) => byText(a, b)));
  });

const amount = z.number().min(0);
const count = z.int().min(0);
const text = (most: number) => z.string().min(1).max(most);
const word = z.string().regex(/^[\w.+-]{1,64}$/);
const key = z.string().regex(/^[0-9a-f]{32}$/);

const engine = only({
  name: word,
  libraryVersion: word,
  tfjsVersion: word,
  mode: word,
  precision: word,
  device: word,
  threads: count,
  cpu: text(100),
  why: text(300),
  gpu: only({ card: text(100), driver: word, cuda: word, cublas: word, cudnn: word }),
});

const repository = {
  commit: z
    .string()
    .regex(/^[0-9a-f]{40,64}$/)
    .nullable(),
  commit_unknown: text(300),
  dirty: z.boolean().nullable(),
  diff: only({ bytes: count, sha256: z.string().regex(/^[0-9a-f]{64}$/), complete: z.boolean() }),
};

/** `Python 3.12.1`, `torch==2.9.0+cu128`: what a program's interpreter and packages say of themselves. Other lines, and the commands that asked, may name places. */
const VERSION = /^[A-Za-z][\w.+-]{0,63}(?: |==)v?\d[\w.+-]{0,40}$/;

const facts = only({
  kind: text(64),
  ...repository,
  study: only(repository),
  code_hash: hashOfCode,
  code_unknown: text(300),
  package: text(100),
  packages: entries(/^(?:@[\w.-]{1,64}\/)?[\w.-]{1,64}$/, /^[\w.+-]{1,64}$/),
  node: word,
  system: text(120),
  cpu: text(100),
  cores: count,
  threads: count,
  gpus: z.array(text(100)).max(64),
  memory_bytes: count,
  place: z.string().regex(/^[\w:.,/-]{1,100}$/),
  /** Of engines and their libraries: no paths. */
  environment: entries(
    /^(?:(?:TF_(?:CPP|CUBLAS|CUDNN|DETERMINISTIC|DISABLE|ENABLE|FORCE|GPU|NUM|ONEDNN|USE|XLA)|XLA|CUDA|NVIDIA|OMP|KMP|MKL|OPENBLAS)_[A-Z0-9_]{1,64}|NODE_OPTIONS)$/,
    /^[\w .,:;=+-]{0,100}$/,
  ),
  started: z.iso.datetime(),
  ended: z.iso.datetime(),
  wall_seconds: amount,
  cpu_seconds: amount,
  peak_memory_bytes: count,
  machine_energy_joules: amount,
  jobs_before: count,
  pack: only({ members: count, keys: z.array(key).max(10_000) }),
  stage: only({
    engine,
    engine_changed: z.boolean(),
    images_per_second: amount,
    micro_batches: count,
    versions: z.array(only({ lines: z.array(z.string()).transform(lines => lines.filter(line => VERSION.test(line)).slice(0, 200)) })).max(16),
  }),
});

/** The facts that a report may hold, in one order at any depth; paths and the host's name are cut out of their texts. */
export function publicFacts(all: JsonObject, host = hostname()): JsonObject {
  return withoutPlaces(facts.parse(all), host) as JsonObject;
}

/** Names of one GPU, or of a part of it, among all that were ever built. */
const SERIAL = /\b((?:MIG-)?(?:GPU|MIG))-[0-9a-f]{8}-[0-9a-f-]{20,}(?:[/_]\d+){0,2}/gi;

function withoutPlaces(value: JsonValue, host: string): JsonValue {
  if (typeof value === 'string') return redact(value, host).replaceAll(SERIAL, '$1');
  if (Array.isArray(value)) return value.map(item => withoutPlaces(item, host));
  return value !== null && typeof value === 'object' ? Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withoutPlaces(item, host)])) : value;
}
