/** Measures stages by running a few of their steps, each in a process of its own, all places at once as in a sweep. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execaNode } from 'execa';
import type { StageKind } from '../ablation/kind.ts';
import type { Fit } from '../plan/memory.ts';
import { amountOf, type Shapes, type SpeedMeasurement } from '../plan/pace.ts';
import type { Plan, PlannedStage } from '../plan/plan.ts';
import { environmentOf } from '../plan/sharing.ts';
import type { StoreReader } from '../store/reader.ts';
import { placeEnvironment, type Place } from './devices.ts';
import { NODE_OPTIONS } from './node-options.ts';
import type { Probed, ProbeInput, ProbeTask } from './probe.ts';
import type { ProbeAnswer } from './probe-worker.ts';

const WORKER = fileURLToPath(new URL('probe-worker.mjs', import.meta.url));

interface ToMeasure {
  readonly stage: PlannedStage;
  readonly place: Place;
}

export type Outcome = ToMeasure & ({ readonly measurement: SpeedMeasurement; readonly engine: string | null } | { readonly failure: string });

export interface MeasureOptions {
  readonly plan: Plan;
  readonly kinds: readonly StageKind[];
  readonly shapes: Shapes;
  /** Finished stages give their outputs as inputs. */
  readonly store: StoreReader | undefined;
  /** Absolute folder of the declarations. */
  readonly experiments: string;
  readonly dataDir: string;
  /** In how many micro-batches stages run there. */
  readonly fits: ReadonlyMap<string, Fit>;
  readonly onOutcome: (outcome: Outcome) => void;
}

/**
 * @param stages one a shape, for each kind of place
 * @param places where to measure: those with the same device and threads share the work
 */
export async function measureStages(stages: ReadonlyMap<string, readonly PlannedStage[]>, places: readonly Place[], options: MeasureOptions): Promise<void> {
  const queues = new Map([...stages].map(([hardware, list]) => [hardware, [...list]]));
  await Promise.all(
    places.map(async place => {
      const queue = queues.get(hardwareName(place)) ?? [];
      for (let stage = queue.shift(); stage !== undefined; stage = queue.shift()) options.onOutcome(await measure({ stage, place }, options));
    }),
  );
}

/** Places of one name are alike. */
export const hardwareName = ({ device, threads }: Place): string => `${device} x${threads}`;

async function measure({ stage, place }: ToMeasure, options: MeasureOptions): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), 'ablate-measure-'));
  try {
    const started = Date.now();
    const kind = options.kinds.find(k => k.name === stage.kind);
    const answer = await runProbe(place, kind ? environmentOf(kind, stage) : {}, taskFor(stage, place, folder, options));
    if ('failure' in answer) return { stage, place, failure: answer.failure };
    const measurement = { shape: options.shapes.of(stage), ...speedOf(stage, answer.probed, started) };
    return { stage, place, measurement, engine: answer.probed.engine };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function taskFor({ key: own, kind, recipe, seed, upstream }: PlannedStage, { device, threads }: Place, folder: string, { plan, store, experiments, dataDir, fits }: MeasureOptions): ProbeTask {
  const input = (key: string): ProbeInput => {
    const stage = plan.stages.get(key)!;
    const output = store?.output(key),
      result = store?.result(key);
    return { key, kind: stage.kind, recipe: stage.recipe, ...(output !== undefined && result && { done: { output, result } }) };
  };
  const inputs = Object.fromEntries(Object.entries(upstream).map(([slot, key]) => [slot, input(key)]));
  const { microBatches = 1 } = fits.get(own) ?? {};
  return { experiments, kind, recipe, seed, inputs, folder, execution: { device, threads, dataDir, acceptEngineChange: false, ...(microBatches > 1 && { microBatches }) } };
}

async function runProbe(place: Place, environment: Record<string, string>, task: ProbeTask): Promise<ProbeAnswer> {
  const worker = execaNode(WORKER, {
    nodeOptions: NODE_OPTIONS,
    env: { ...placeEnvironment(place), ...environment },
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'pipe',
    ipc: true,
    reject: false,
  });
  const answer = new Promise<ProbeAnswer>(resolve => worker.once('message', message => resolve(message as unknown as ProbeAnswer)));
  worker.send(task, () => undefined);
  const lost = worker.then(({ stderr, exitCode }): ProbeAnswer => ({ failure: `the worker ended without an answer (exit code ${exitCode ?? 'none'}): ${stderr.trim().split('\n').at(-1) ?? ''}` }));
  return Promise.race([answer, lost]);
}

/** @param started when the process was started */
function speedOf({ cost }: PlannedStage, { began, againMs, steps = 0, stepMs, ended }: Probed, started: number): Omit<SpeedMeasurement, 'shape'> {
  const runMs = stepMs === undefined ? (ended ?? Date.now()) - began : stepMs * steps;
  // What is told of a step comes at its end.
  const startMs = Math.max(0, againMs - (stepMs ?? 0));
  const firstMs = began - started - (stepMs ?? 0);
  return { perSecond: amountOf(cost) / Math.max(runMs / 1e3, 1e-3), start: startMs / 1e3, process: Math.max(0, firstMs - startMs) / 1e3 };
}
