/** The JSON files of a store, as they are checked when read. */
import { z } from 'zod';
import type { MetricRecord, StageIdentity } from '../ablation/kind.ts';
import { harmless } from '../text/clean.ts';

/** Of a person or a program, for persons: a store may come from anywhere. */
const text = z.string().transform(harmless);

const jsonObject = z.record(z.string(), z.json());

/** Names of a store's folders: a damaged one must not lead elsewhere. */
export const isKeyName = (name: string): boolean => /^[A-Za-z0-9_-]{1,64}$/.test(name);
export const keyName = z.string().refine(isKeyName, 'expected the key of a stage');

export const stageFile = z.object({
  label: text,
  identity: z.strictObject({
    kind: z.string(),
    revision: z.int(),
    recipe: jsonObject,
    seed: z.int(),
    upstream: z.record(z.string(), keyName),
    codeHash: z.string().exactOptional(),
  }),
});

/** A stage as the store knows it. */
export interface StageRecord extends StageIdentity {
  readonly key: string;
  readonly label: string;
}

const owner = z.object({ host: z.string(), boot: z.string(), namespace: z.string().optional(), pid: z.int().min(1), started: z.string() });

/** Of an attempt that one of several workers of a plan made, each in an allocation of its own. */
const shareFile = z.object({
  /** Tries at a stage are counted within it. */
  round: text,
  /** Of the scheduler. */
  job: text.optional(),
  node: text.optional(),
  /** Bytes that the allocation had. */
  memory: z.number().optional(),
});
export type AttemptShare = z.infer<typeof shareFile>;

export const attemptFile = z.object({
  /** Runner that holds the lease. */
  owner,
  created: z.iso.datetime(),
  /** Where it runs: `cpu:0`, `gpu:1`. */
  place: text,
  share: shareFile.optional(),
});
export type AttemptRecord = z.infer<typeof attemptFile>;

/** Where it runs, for people: `cpu:0`, `n1 gpu:0 (job 12)`. Places of several jobs have the same names. */
export function attemptPlace(record: AttemptRecord | undefined): string {
  const { place = '', share } = record ?? {};
  return [...(share?.node === undefined ? [] : [share.node]), place, ...(share?.job === undefined ? [] : [`(job ${share.job})`])].join(' ');
}

/** What `worker.json` and `attempt.json` have in common. */
export const workerFile = z.object({ owner });

export const resumedFile = z.object({ from: z.object({ attempt: z.int().min(1), step: z.int().min(0) }).nullable() });
/** The checkpoint an attempt went on from; null when it began at the start. */
export type ResumedFrom = z.infer<typeof resumedFile>['from'];

export const stateLine = z.object({
  time: z.string(),
  /** `uncommitted`: complete, but another attempt had been committed before. */
  state: z.enum(['running', 'interrupted', 'failed', 'done', 'uncommitted']),
  code: text.optional(),
  reason: text.optional(),
  permanent: z.boolean().optional(),
  /** Of `failed`: whoever shares the plan is to try no more. */
  given_up: z.boolean().optional(),
  /** Of `running`: its worker has been silent for long, as the text says. */
  stalled: text.optional(),
});
export type StateLine = z.infer<typeof stateLine>;

export const resultFile = z.record(z.string(), z.union([z.number(), z.string()]));

/** Facts about an attempt: whatever whoever ran it told. */
export const provenanceFile = jsonObject;

export const metricLine = z.object({ step: z.int().min(0), epoch: z.number() }).catchall(z.number()) as z.ZodType<MetricRecord>;
