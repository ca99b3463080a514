/**
 * What a step costs on each engine: `node --import ./src/start/allow-typescript.mjs test/bench/engines.ts [--rounds 5] [--only distill-desk,...]`. Steps of the
 * sizes of `smoke`, of `mini` and `desk` (whose steps are the same), and larger ones, on one thread each; the engines take turns.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { heading, textTable } from '../../src/cli/terminal/text.ts';
import { CASES, SWEEP_STEP, type StepCase } from './race/cases.ts';
import { startPeer, type Peer } from './race/peer.ts';
import { prepareCase } from './race/prepare.ts';
import { ALLOW_TYPESCRIPT } from '../helpers/typescript.ts';

const ENGINES = [
  { name: 'native graph', ENGINE: 'native', mode: 'graph' },
  { name: 'native eager', ENGINE: 'native', mode: 'eager' },
  { name: 'wasm', ENGINE: 'wasm', mode: 'eager' },
] as const;

/** As in experiments/profiles/{smoke,mini}.ts. */
const { model, teacher, optimizer, ...sweep } = SWEEP_STEP as Extract<StepCase, { kind: 'distill' }>;
const smoke = { ...sweep, batch: 64 };
const classifier = { kind: 'finetune', batch: 128, classes: 10, layer_decay: 0.9, optimizer: { weight_decay: 0.05, betas: [0.9, 0.999] }, lr: 1e-3, inputs: ['targets'] } as const;
const STEPS: readonly StepCase[] = [
  {
    ...smoke,
    optimizer,
    name: 'distill-smoke',
    title: 'smoke: distillation, 64 images of 5 tokens, width 48 teaches 32',
    model: { ...model, patch_size: 14, embed_dim: 32, depth: 2 },
    teacher: { ...teacher, patch_size: 14, embed_dim: 48 },
  },
  { ...sweep, model, teacher, optimizer, title: 'mini, desk: distillation, 256 images of 17 tokens, width 128 teaches 64' },
  {
    ...sweep,
    optimizer,
    kind: 'pretrain',
    name: 'pretrain-desk',
    title: 'mini, desk: MAE pre-training, 256 images of 17 tokens, width 128',
    model: teacher,
    decoder: { embed_dim: 64, depth: 2, num_heads: 4, mlp_ratio: 4 },
    mask_ratio: 0.75,
    inputs: ['ids_keep', 'ids_restore', 'mask'],
  },
  { ...sweep, ...classifier, name: 'finetune-desk', title: 'mini, desk: fine-tuning, 128 images of 17 tokens, width 64', model },
  ...CASES.filter(({ name }) => name === 'distill-32' || name === 'finetune-224'),
];

/** Of the slowest engine in a round, at least. */
const ROUND_SECONDS = 2;
const WARM_UP = 4;

interface Reply {
  readonly seconds: number;
  readonly peak_bytes: number;
}
interface Runner {
  readonly peer: Peer;
  readonly milliseconds: number[];
  peakBytes: number;
}

async function race(step: StepCase, rounds: number): Promise<string[][]> {
  const folder = mkdtempSync(join(tmpdir(), 'engines-'));
  const runners: Runner[] = [];
  try {
    const files = prepareCase(step, folder);
    const warm: number[] = [];
    for (const { name, ENGINE, mode } of ENGINES) {
      const peer = startPeer(name, { file: process.execPath, args: ['--import', ALLOW_TYPESCRIPT, fileURLToPath(new URL('race/ours.ts', import.meta.url))], env: { ENGINE } });
      runners.push({ peer, milliseconds: [], peakBytes: 0 });
      await peer.ask('start', { step, files, mode, precision: 'float32', threads: 1, device: 'cpu' });
      await peer.ask<Reply>('steps', { count: WARM_UP });
      warm.push((await peer.ask<Reply>('steps', { count: 1 })).seconds);
    }
    const count = Math.max(1, Math.round(ROUND_SECONDS / Math.max(...warm)));
    for (let round = 0; round < rounds; round++) {
      for (let i = 0; i < runners.length; i++) {
        const runner = runners[(i + round) % runners.length]!; // each begins once
        const { seconds, peak_bytes } = await runner.peer.ask<Reply>('steps', { count });
        runner.milliseconds.push((1e3 * seconds) / count);
        runner.peakBytes = peak_bytes;
      }
    }
    const fastest = median(runners[0]!.milliseconds);
    return runners.map(({ milliseconds, peakBytes }, i) => [ENGINES[i]!.name, median(milliseconds).toFixed(1), (median(milliseconds) / fastest).toFixed(1), `${Math.round(peakBytes / 1e6)} MB`]);
  } finally {
    await Promise.all(runners.map(({ peer }) => peer.close()));
    rmSync(folder, { recursive: true });
  }
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

const {
  values: { rounds, only },
} = parseArgs({ options: { rounds: { type: 'string', default: '5' }, only: { type: 'string', default: STEPS.map(({ name }) => name).join() } } });
for (const step of STEPS.filter(({ name }) => only.split(',').includes(name))) {
  process.stdout.write(`${heading(step.title)}\n${textTable([['engine', 'ms a step', 'times', 'peak memory'], ...(await race(step, Number(rounds)))])}\n\n`);
}
