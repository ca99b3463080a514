/**
 * What a step costs beside the engine: `node --import ./src/start/allow-typescript.mjs test/bench/overhead.ts`. Trains the stages behind one arm at the sizes
 * of `mini` in this process, and prints which share of their steps was spent outside native calls:
 * batches, masks, reading losses, metrics, progress. Checkpoints and evaluations are not steps.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { StageResult, UpstreamOutput } from '../../src/core/ablation/kind.ts';
import { loadExperiments } from '../../src/core/ablation/load.ts';
import { heading, textTable } from '../../src/cli/terminal/text.ts';
import { buildPlan, type PlannedStage } from '../../src/core/plan/plan.ts';
import { dataDir } from '../../src/setup/cache.ts';
import { loadEngine } from '../../src/engine/backend.ts';
import { nativeBackend, type Binding } from '../../src/engine/compile/native.ts';
import { stageContext } from '../helpers/stage-context.ts';

/** Tracing, the first allocations and the start of the loader. */
const WARM_UP = 10;
const EXPERIMENTS = fileURLToPath(new URL('../../experiments', import.meta.url));

/** Counts the time within native calls: of functions and ops, and of what uploads and frees their tensors. */
function timeNativeCalls(): { readonly milliseconds: number } {
  const backend = nativeBackend(),
    native = backend.binding as unknown as Readonly<Record<string, unknown>>,
    total = { milliseconds: 0 };
  const timed = (call: (...args: unknown[]) => unknown): typeof call =>
    function (this: unknown, ...args) {
      const began = performance.now();
      try {
        return call.apply(native, args);
      } finally {
        total.milliseconds += performance.now() - began;
      }
    };
  // Copied one by one: a prototype would not reach the native properties.
  const names = Object.getOwnPropertyNames(native);
  backend.binding = Object.fromEntries(names.map(name => [name, typeof native[name] === 'function' ? timed(native[name] as Parameters<typeof timed>[0]) : native[name]])) as unknown as Binding;
  return total;
}

interface Share {
  readonly kind: string;
  readonly steps: number;
  readonly stepMs: number;
  /** Share of the time of all steps, and of the median one: what other programs take from a busy machine is in the first. */
  readonly outside: number;
  readonly outsideMedian: number;
}

interface Moment {
  readonly wall: number;
  readonly within: number;
}

/** What lies between two steps in a row; what another phase interrupts is left out. */
class StepClock {
  readonly #native: { readonly milliseconds: number };
  readonly #steps: Moment[] = [];
  #last: Moment | undefined;

  constructor(native: { readonly milliseconds: number }) {
    this.#native = native;
  }

  mark(phase: string): void {
    const now = phase === 'step' ? { wall: performance.now(), within: this.#native.milliseconds } : undefined;
    if (now && this.#last) this.#steps.push({ wall: now.wall - this.#last.wall, within: now.within - this.#last.within });
    this.#last = now;
  }

  /** Undefined for stages without steps. */
  share(kind: string): Share | undefined {
    const steps = this.#steps.slice(WARM_UP);
    if (steps.length === 0) return undefined;
    const sum = (part: (step: Moment) => number): number => steps.reduce((total, step) => total + part(step), 0);
    const outside = ({ wall, within }: Moment): number => wall - within;
    return {
      kind,
      steps: steps.length,
      stepMs: sum(step => step.wall) / steps.length,
      outside: sum(outside) / sum(step => step.wall),
      outsideMedian: median(steps.map(outside)) / median(steps.map(step => step.wall)),
    };
  }
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

async function measure(): Promise<Share[]> {
  const { study, profile, ablations, seeds } = await loadExperiments(EXPERIMENTS, {
    profile: 'mini',
    only: 'relation/qk-vv-softmax,mae-vs-scratch/scratch-b',
    sets: ['pretrain.schedule.epochs=1', 'pretrain.schedule.warmup_epochs=0.1'],
  });
  const plan = buildPlan({ study, profile, ablations, seeds });
  await loadEngine({ device: 'cpu', threads: 1 });
  const native = timeNativeCalls(),
    folder = mkdtempSync(join(tmpdir(), 'overhead-'));
  const done = new Map<string, UpstreamOutput>(),
    shares: Share[] = [];
  try {
    for (const stage of plan.stages.values()) {
      const clock = new StepClock(native),
        output = join(folder, stage.key);
      const result = await run(stage, output, done, phase => {
        clock.mark(phase);
      });
      done.set(stage.key, { key: stage.key, kind: stage.kind, recipe: stage.recipe, result, output });
      shares.push(...[clock.share(stage.kind) ?? []].flat());
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return shares;

  async function run({ kind, recipe, seed, upstream }: PlannedStage, output: string, inputs: ReadonlyMap<string, UpstreamOutput>, onPhase: (phase: string) => void): Promise<StageResult> {
    const runner = await study.kinds.find(({ name }) => name === kind)!.load();
    const context = stageContext(
      { recipe, seed, output, upstream: Object.fromEntries(Object.entries(upstream).map(([slot, key]) => [slot, inputs.get(key)!])) },
      {
        threads: 1,
        dataDir: dataDir(),
        progress: ({ phase }) => {
          onPhase(phase);
        },
      },
    );
    return runner(context);
  }
}

const shares = await measure();
process.stdout.write(
  `${heading('Outside the native calls, one thread, sizes of mini')}\n${textTable([
    ['stage', 'steps', 'ms a step', 'outside', 'median step'],
    ...shares.map(({ kind, steps, stepMs, outside, outsideMedian }) => [kind, String(steps), stepMs.toFixed(1), ...[outside, outsideMedian].map(share => `${(100 * share).toFixed(2)} %`)]),
  ])}\n`,
);
