/** Why an attempt has no result, where its worker left no word of it. */
import { AblateError } from '../ablation/errors.ts';
import type { AttemptFailure } from '../store/reader.ts';
import type { Place } from './devices.ts';
import type { Ended } from './executors/executor.ts';
import { gpuFailure } from './gpu-failures.ts';
import { MEMORY_REMEDY, OUT_OF_MEMORY, saysOutOfMemory } from './out-of-memory.ts';
import type { MemoryFault } from './retries.ts';
import { silenceText, type SilencePeriod } from './silence.ts';

/**
 * @param hung the silence for which we stopped it
 * @param device on which it computed: a worker on the CPU may print that there is no GPU, which does no harm
 */
export function workerFailure(ended: Ended, hung?: SilencePeriod, device: Place['device'] = 'cpu'): AttemptFailure {
  if (hung) return { code: 'WORKER_HUNG', reason: `${silenceText(hung)}: the worker was stopped`, permanent: false };
  const gpuFailureOf = (line: string) => (device === 'gpu' ? gpuFailure(line) : undefined);
  // The last word counts: an allocator that grows step by step has complained before.
  const said = ended.output?.text.split('\n').findLast(line => saysOutOfMemory(line) || gpuFailureOf(line) !== undefined);
  const gpu = said === undefined || ended.outOfMemory === true ? undefined : gpuFailureOf(said);
  if (gpu) return { code: gpu.code, reason: `as the worker said before it ended: ${said!.trim()}\n${gpu.remedy}`, permanent: false };
  if (said !== undefined && saysOutOfMemory(said)) return { code: OUT_OF_MEMORY, reason: `memory ran out, as the worker said before it ended: ${said.trim()}\n${MEMORY_REMEDY}`, permanent: false };
  if (ended.outOfMemory === true) return { code: OUT_OF_MEMORY, reason: `memory ran out: the system ended the worker\n${MEMORY_REMEDY}`, permanent: false };
  return { code: 'WORKER_LOST', reason: endText(ended), permanent: false };
}

/**
 * Whether memory may be at fault. A worker killed by a SIGKILL that we did not send is the only sign that many systems give,
 * so it counts at once where the kernel keeps no count of such kills. Where it does and has counted none, the kill was most
 * likely a person's or a scheduler's, and a split, which changes the last digits of the numbers, would spoil the promise that
 * a killed stage ends with the bytes of an undisturbed one: the stage is tried again as it was. Killed a second time it is
 * suspected after all, since a daemon that watches over memory (earlyoom, systemd-oomd) kills before the kernel has to.
 */
export function memoryFaultOf({ code }: Pick<AttemptFailure, 'code'>, { signal, outOfMemory }: Ended): MemoryFault | undefined {
  if (code === OUT_OF_MEMORY) return 'ran-out';
  if (code !== 'WORKER_LOST' || signal !== 'SIGKILL') return undefined;
  return outOfMemory === false ? 'suspected' : 'ran-out';
}

/**
 * Of an error of our own process, such as a full disk. The stage waits for the next run: an attempt whose end we could not
 * write down goes on for whoever reads the store as long as we live, and we would wait for ourselves.
 */
export function runnerFailure(error: unknown): AttemptFailure {
  return {
    code: error instanceof AblateError ? error.code : 'RUNNER_FAILED',
    reason: error instanceof Error ? error.message : String(error),
    permanent: true,
  };
}

export function endText({ alive, exitCode, signal, error }: Ended): string {
  if (alive === true) return 'the worker was done with the job and had recorded no result';
  if (signal === 'SIGKILL') return 'the worker was ended by SIGKILL, perhaps because memory ran out';
  if (signal !== undefined) return `the worker was ended by ${signal}`;
  return exitCode === undefined ? `the worker could not be started: ${error ?? 'no reason given'}` : `the worker ended with exit code ${exitCode} before it had a result`;
}
