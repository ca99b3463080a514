/** What figures depend on: processor, cores and whether it multiplies bfloat16 by itself. */
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  /** Instructions for bfloat16 products, by their names; empty: none. */
  readonly bfloat16: readonly string[];
  /** Share of the processor's time that other programs took before the race. */
  readonly busy: number;
}

export async function describeMachine(): Promise<Machine> {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    bfloat16: process.platform === 'darwin' ? await appleFeatures() : bfloat16Flags(readIfThere('/proc/cpuinfo')),
    busy: await busyShare(),
  };
}

const SAMPLE_MS = 1500;

/** While this program sleeps. */
async function busyShare(): Promise<number> {
  const before = processorTimes();
  await sleep(SAMPLE_MS);
  const after = processorTimes();
  return 1 - (after.idle - before.idle) / Math.max(after.all - before.all, 1);
}

function processorTimes(): { idle: number; all: number } {
  const times = cpus().map(cpu => cpu.times);
  return { idle: times.reduce((sum, { idle }) => sum + idle, 0), all: times.reduce((sum, t) => sum + t.user + t.nice + t.sys + t.idle + t.irq, 0) };
}

/** From `/proc/cpuinfo`: `flags` of x86, `Features` of Arm. */
export function bfloat16Flags(cpuinfo: string): string[] {
  const flags = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(cpuinfo)?.[1]?.split(/\s+/) ?? [];
  return ['avx512_bf16', 'amx_bf16', 'bf16', 'svebf16'].filter(name => flags.includes(name));
}

async function appleFeatures(): Promise<string[]> {
  const { stdout } = await execa('sysctl', ['-n', 'hw.optional.arm.FEAT_BF16'], { reject: false });
  return stdout === '1' ? ['FEAT_BF16'] : [];
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
