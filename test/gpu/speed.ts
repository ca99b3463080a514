/** Images a second of a step of distillation, in each precision, beside PyTorch where it can be imported. Nothing is installed for it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CASES, type StepCase } from '../bench/race/cases.ts';
import { startPeer, type Command } from '../bench/race/peer.ts';
import { prepareCase, type CaseFiles } from '../bench/race/prepare.ts';
import { importTorch, type PyTorch } from '../bench/race/pytorch.ts';
import { pythonEnvironment } from '../bench/race/steps.ts';
import { ALLOW_TYPESCRIPT } from '../helpers/typescript.ts';
import type { CheckOptions } from './sections.ts';

/** As measured, or why not. */
type Speed = { readonly imagesPerSecond: number; readonly peakBytes: number } | { readonly refused: string };

export interface Speeds {
  readonly step: string;
  readonly batch: number;
  readonly ours: Readonly<Record<string, Speed>>;
  /** `version` of PyTorch; undefined where none can be imported, or it does not compute on the device. */
  readonly pytorch?: { readonly version: string; readonly speeds: Readonly<Record<string, Speed>> };
}

const THREADS = 1;
const OURS = fileURLToPath(new URL('../bench/race/ours.ts', import.meta.url));
const PYTORCH = fileURLToPath(new URL('../bench/pytorch/step.py', import.meta.url));

interface Reply {
  readonly seconds: number;
  readonly peak_bytes: number;
}

/** @param signal ends what runs */
export async function imagesPerSecond({ device, few, env }: CheckOptions, signal: AbortSignal): Promise<Speeds> {
  const base = CASES.find(({ name }) => name === (few ? 'distill-32' : 'distill-224'))!;
  const step: StepCase = { ...base, batch: few ? 2 : device === 'gpu' ? 64 : base.batch };
  const folder = mkdtempSync(join(tmpdir(), 'gpu-check-'));
  const measured = (command: Command, request: object): Promise<Speed> => measure(command, request, step.batch, few ? 1 : 20, signal);
  try {
    const files = prepareCase(step, folder);
    const ours: Record<string, Speed> = {};
    for (const precision of few ? ['float32', 'tf32'] : ['float32', 'tf32', 'bfloat16']) {
      const command = { file: process.execPath, args: ['--import', ALLOW_TYPESCRIPT, OURS], env: { ...env, ...(precision === 'tf32' && { TINYMIM_TF32: '1' }) } };
      ours[precision] =
        precision === 'tf32' && device === 'cpu' ? { refused: 'TF32 is computed by NVIDIA GPUs alone' } : await measured(command, { step, files, mode: 'graph', precision, threads: THREADS, device });
    }
    const torch = few ? undefined : await importTorch(process.env['TORCH_PYTHON'] || 'python3', {});
    const usable = torch !== undefined && 'version' in torch && (device === 'cpu' || torch.gpu) ? torch : undefined;
    return { step: step.title, batch: step.batch, ours, ...(usable && { pytorch: { version: usable.version, speeds: await pytorchSpeeds(usable, step, files, device, measured) } }) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function pytorchSpeeds(
  pytorch: PyTorch,
  step: StepCase,
  files: CaseFiles,
  device: 'cpu' | 'gpu',
  measured: (command: Command, request: object) => Promise<Speed>,
): Promise<Record<string, Speed>> {
  const command = { file: pytorch.python, args: [PYTORCH], env: pythonEnvironment(pytorch, THREADS) };
  const given = {
    case: step,
    weights_file: files.weights,
    inputs_file: files.inputs,
    teacher_file: files.teacher ?? null,
    compiled: false,
    threads: THREADS,
    device: device === 'gpu' ? 'cuda' : 'cpu',
  };
  return { float32: await measured(command, { ...given, precision: 'float32' }), autocast: await measured(command, { ...given, precision: 'bfloat16' }) };
}

async function measure(command: Command, request: object, batch: number, count: number, signal: AbortSignal): Promise<Speed> {
  const peer = startPeer('speed', command);
  const stop = (): void => void peer.close();
  signal.addEventListener('abort', stop);
  try {
    await peer.ask('start', request);
    await peer.ask('steps', { count: 3 });
    const { seconds, peak_bytes } = await peer.ask<Reply>('steps', { count });
    return { imagesPerSecond: (batch * count) / seconds, peakBytes: peak_bytes };
  } catch (error) {
    return { refused: (error as Error).message.split('\n')[0]! };
  } finally {
    signal.removeEventListener('abort', stop);
    await peer.close();
  }
}
