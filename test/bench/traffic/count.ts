/** Runs a case, which comes as JSON on stdin, in this process, and prints what crossed as JSON. */
import { text } from 'node:stream/consumers';
import type { PackRunner, StageContext, StageKind, StageRunner } from '../../../src/core/ablation/kind.ts';
import { loadEngine } from '../../../src/engine/backend.ts';
import { kinds } from '../../../src/tinymim/stages/kinds.ts';
import { stageContext } from '../../helpers/stage-context.ts';
import { StepTraffic, trafficOf, type Traffic } from '../../helpers/step-traffic.ts';
import { BATCH, type TrafficCase } from './cases.ts';

export interface CountRequest {
  readonly traffic: TrafficCase;
  readonly threads: number;
}

/** Of one step. */
export interface Counted extends Traffic {
  /** Resident memory of the process at its largest. */
  readonly peakBytes: number;
}

async function countSteps({ kind: name, stages }: TrafficCase, threads: number): Promise<Traffic> {
  const steps = new StepTraffic();
  const kind = (kinds as readonly unknown[] as readonly StageKind[]).find(other => other.name === name)!;
  const contexts = stages.map((stage, i) =>
    stageContext(stage, {
      threads,
      dataDir: stage.output,
      progress: ({ phase }) => {
        if (i === 0) steps.mark(phase); // its steps are those of the pack
      },
    }),
  );
  if (name === 'evaluate') return countBatches(await kind.load(), contexts[0]!);
  if (contexts.length === 1) await (await kind.load())(contexts[0]!);
  else expectAll(await (await kind.packing!.load())(contexts));
  return steps.mean();
}

/** What more batches cost an evaluation: it tells nobody where one ends. */
async function countBatches(run: StageRunner, context: StageContext): Promise<Traffic> {
  const { data } = context.recipe as { data: { test: number } };
  const whole = (test: number): Promise<Traffic> => trafficOf(() => run({ ...context, recipe: { ...context.recipe, data: { ...data, test } } }));
  const fewer = await whole(BATCH),
    all = await whole(data.test);
  const each = (key: keyof Traffic): number => (all[key] - fewer[key]) / (data.test / BATCH - 1);
  return { bytesIn: each('bytesIn'), bytesOut: each('bytesOut'), calls: each('calls') };
}

function expectAll(outcomes: Awaited<ReturnType<PackRunner>>): void {
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

const { traffic, threads } = JSON.parse(await text(process.stdin)) as CountRequest;
await loadEngine({ device: 'cpu', threads });
const counted: Counted = { ...(await countSteps(traffic, threads)), peakBytes: process.resourceUsage().maxRSS * 1024 };
process.stdout.write(JSON.stringify(counted));
