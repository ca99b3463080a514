/** Whether an engine loads and trains, in a process of its own: a broken library can end it without a word. */
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { z } from 'zod';
import type { Device } from '../engine/engine.ts';
import type { EngineName } from '../engine/engine-name.ts';
import { tail } from './errors.ts';

const CHECK = fileURLToPath(new URL('engine-check.mjs', import.meta.url));

const answer = z.union([
  z.object({
    engine: z.object({ name: z.string(), libraryVersion: z.string(), tfjsVersion: z.string(), device: z.enum(['cpu', 'gpu']), threads: z.int(), cpu: z.string(), why: z.string() }),
    toy: z.object({ ok: z.boolean(), ms: z.number(), firstLoss: z.number().nullable(), lastLoss: z.number().nullable() }),
  }),
  z.object({ failure: z.string() }),
]);

/** The engine as it says of itself, and how it trained a toy step; or why it does not run, indented. */
export type Trial = z.infer<typeof answer>;

/** Loads `engine` as a worker does. Takes a second or two. */
export async function tryEngine(engine: EngineName, device: Device, threads: number): Promise<Trial> {
  const oneGpu = device === 'gpu' && process.env['CUDA_VISIBLE_DEVICES'] === undefined ? { CUDA_VISIBLE_DEVICES: '0' } : {};
  const { stdout, all, shortMessage } = await execa(process.execPath, [CHECK, engine, device, String(threads)], {
    reject: false,
    all: true,
    timeout: 300_000,
    env: { TF_CPP_MIN_LOG_LEVEL: '2', ...oneGpu },
  });
  const line = stdout.split('\n').findLast(text => text.startsWith('{'));
  return line === undefined ? { failure: tail(all, 3) || `    ${shortMessage ?? 'it ended without a word'}` } : answer.parse(JSON.parse(line));
}
