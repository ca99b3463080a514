import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { memoryFaultOf, workerFailure } from '../../../../src/core/runner/endings.ts';
import { gpuFailure } from '../../../../src/core/runner/gpu-failures.ts';
import { kernelKills, saysOutOfMemory } from '../../../../src/core/runner/out-of-memory.ts';
import { Retries, type FailedAttempt } from '../../../../src/core/runner/retries.ts';
import { temporaryFolder } from '../../../toy/sweep.ts';

const ordinary: FailedAttempt = { permanent: false, packed: false };
const ranOut: FailedAttempt = { ...ordinary, memory: 'ran-out' };
const suspected: FailedAttempt = { ...ordinary, memory: 'suspected' };

/** What is done after each failure: the micro-batches of the next attempt, or that there is none. */
function course(failures: readonly FailedAttempt[], most = 8): (number | 'none')[] {
  const retries = new Retries((_, microBatches) => microBatches <= most);
  return failures.map(failure => (retries.again('k', failure) ? retries.microBatches('k') : 'none'));
}

describe('a stage is tried again', () => {
  test('once as it was', () => {
    expect(course([ordinary, ordinary])).toEqual([1, 'none']);
  });

  test('not at all after a permanent failure, whatever it has to do with memory', () => {
    expect(course([{ ...ranOut, permanent: true }])).toEqual(['none']);
  });

  test('with half the micro-batch for want of memory, until a batch cannot be divided further', () => {
    expect(course([ranOut, ranOut, ranOut, ranOut, ranOut], 8)).toEqual([2, 4, 8, 8, 'none']);
  });

  test('alone first, if it ran side by side with others', () => {
    expect(course([{ ...ranOut, packed: true }, ranOut])).toEqual([1, 2]);
  });

  test('as it was where the system saw no want of memory, and split when that happens again', () => {
    expect(course([suspected, suspected, suspected])).toEqual([1, 2, 4]);
  });

  test('as it was for want of memory, where its kind cannot split a batch', () => {
    expect(course([ranOut, ranOut], 1)).toEqual([1, 'none']);
  });

  test('as often as that for each stage: they do not share a count', () => {
    const retries = new Retries(() => true);
    expect([retries.again('a', ordinary), retries.again('b', ordinary), retries.again('a', ordinary)]).toEqual([true, true, false]);
    retries.again('b', ranOut);
    expect([retries.microBatches('a'), retries.microBatches('b'), retries.split()]).toEqual([1, 2, ['b']]);
  });

  test('from as many micro-batches on as were estimated for a card, beside others that began with as many', () => {
    const retries = new Retries(
      (_, microBatches) => microBatches <= 16,
      key => (key === 'a' ? 4 : 1),
    );
    retries.goOnWith('a', 2); // of a larger card
    expect([retries.microBatches('a'), retries.microBatches('b'), retries.split()]).toEqual([4, 1, []]);
    expect(retries.again('a', ranOut) && retries.microBatches('a')).toBe(8);
    expect(retries.split()).toEqual(['a']);
  });

  test('with what an earlier run came to, unless that is no number of micro-batches', () => {
    const retries = new Retries((_, microBatches) => 16 % microBatches === 0);
    retries.goOnWith('a', 4);
    retries.goOnWith('b', 3);
    retries.goOnWith('c', 1);
    expect(retries.split()).toEqual(['a']);
    expect(retries.again('a', ranOut) && retries.microBatches('a')).toBe(8);
  });
});

describe('out of memory', () => {
  test.each([
    'Invalid TF_Status: 8\nMessage: OOM when allocating tensor with shape[64,12,197,197] and type float on /job:localhost',
    'RESOURCE_EXHAUSTED: failed to allocate memory',
    'Resource exhausted: OOM',
    'Array buffer allocation failed',
    'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory',
    'CUDA_ERROR_OUT_OF_MEMORY: out of memory',
    'CUBLAS_STATUS_ALLOC_FAILED',
    'Allocator (GPU_0_bfc) ran out of memory trying to allocate 2.25GiB (rounded to 2415919104)',
    'Ran out of GPU memory when allocating 4096 bytes for',
    "terminate called after throwing an instance of 'std::bad_alloc'",
    'Expected room for 536870912 bytes on the heap of WebAssembly, got none: out of memory, its limit is 4 GiB.',
    'RangeError: WebAssembly.instantiate(): Out of memory: Cannot allocate Wasm memory for new instance',
    'spawn ENOMEM',
  ])('is recognised in %j', text => {
    expect(saysOutOfMemory(text)).toBe(true);
  });

  test.each(['Lightning struck at step 3', 'ENOSPC: no space left on device', 'Invalid TF_Status: 3', 'Expected room for 8 patches, got 9', 'the boom of memories'])('is not seen in %j', text => {
    expect(saysOutOfMemory(text)).toBe(false);
  });

  test.each<[string, Record<string, string>, number | undefined]>([
    ['our own control group', { 'proc/self/cgroup': '0::/user/7\n', 'sys/fs/cgroup/user/7/memory.events': 'oom 9\noom_kill 3\n', 'proc/vmstat': 'oom_kill 50\n' }, 3],
    ['a container, whose group is the root that it sees', { 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/memory.events': 'oom_kill 2\n' }, 2],
    ['the whole machine, where groups keep no count', { 'proc/self/cgroup': '3:memory:/a\n', 'proc/vmstat': 'nr_free 1\noom_kill 50\n' }, 50],
    ['nothing, as on other systems', {}, undefined],
  ])("the kernel's count is that of %s", (_, files, expected) => {
    const root = temporaryFolder('root');
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(root, dirname(path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    expect(kernelKills(root)).toBe(expected);
  });

  test("the kernel's count is a number that does not fall, or is not there", () => {
    const [before, after] = [kernelKills(), kernelKills()];
    if (before === undefined) expect(after).toBeUndefined();
    else expect(after).toBeGreaterThanOrEqual(before);
  });
});

describe('a GPU that gives no context, or whose cuBLAS does not start', () => {
  test.each([
    ['GPU_CONTEXT', 'E0000 cuda_platform.cc:51] failed call to cuInit: INTERNAL: CUDA error: Failed call to cuInit: CUDA_ERROR_NO_DEVICE: no CUDA-capable device is detected'],
    ['GPU_CONTEXT', 'failed call to cuInit: CUDA_ERROR_OUT_OF_MEMORY: out of memory'],
    ['GPU_CONTEXT', 'Invalid TF_Status: 8\nMessage: failed call to cuDevicePrimaryCtxRetain: CUDA_ERROR_OUT_OF_MEMORY: out of memory; total memory reported: 85899345920'],
    ['GPU_CONTEXT', 'Invalid TF_Status: 13\nMessage: CUDA runtime implicit initialization on GPU:0 failed. Status: all CUDA-capable devices are busy or unavailable'],
    ['GPU_CONTEXT', 'cudaSetDevice() on GPU:0 failed. Status: CUDA-capable device(s) is/are busy or unavailable'],
    ['GPU_CONTEXT', 'CUDA_ERROR_DEVICE_UNAVAILABLE'],
    ['GPU_CONTEXT', '. Failed to get device attribute : 13'],
    ['GPU_BLAS', 'cuda_blas.cc:156] failed to create cublas handle: CUBLAS_STATUS_NOT_INITIALIZED'],
    ['GPU_BLAS', 'failed to create cublas handle: CUBLAS_STATUS_ALLOC_FAILED'],
    ['GPU_BLAS', 'Invalid TF_Status: 13\nMessage: Attempting to perform BLAS operation using StreamExecutor without BLAS support'],
    ['GPU_BLAS', 'INTERNAL: No BLAS support in stream.'],
    ['GPU_BLAS', 'Failed to initialize BLAS support'],
  ])('%s: %j asks for no smaller batch, and says what to do', (code, text) => {
    expect(gpuFailure(text)).toMatchObject({ code, remedy: expect.stringContaining('nvidia-smi') as string });
    expect(saysOutOfMemory(text)).toBe(false);
    const ended = { signal: 'SIGABRT', output: { text: `2.2G from device: CUDA_ERROR_OUT_OF_MEMORY: out of memory\n${text.replace('\n', ' ')}\nAborted\n`, file: 'f' } };
    const failure = workerFailure(ended, undefined, 'gpu');
    expect(failure).toMatchObject({ code, permanent: false });
    expect(memoryFaultOf(failure, ended)).toBeUndefined();
    expect(course([ordinary, ordinary])).toEqual([1, 'none']);
  });

  test('is not looked for where a worker computed on the CPU, nor put before the count of the kernel', () => {
    const output = { text: 'failed call to cuInit: CUDA_ERROR_NO_DEVICE\n', file: 'f' };
    expect(workerFailure({ signal: 'SIGKILL', outOfMemory: false, output }).code).toBe('WORKER_LOST');
    expect(workerFailure({ signal: 'SIGKILL', outOfMemory: true, output }, undefined, 'gpu').code).toBe('OUT_OF_MEMORY');
  });

  test.each(['OOM when allocating tensor with shape[64,12,197,197]', 'Lightning struck', 'ENGINE_DEVICE'])('is not seen in %j', text => {
    expect(gpuFailure(text)).toBeUndefined();
  });
});

describe('a worker that left no word', () => {
  test('and hung: which phase, how long, and the limit', () => {
    const loss = workerFailure({ signal: 'SIGKILL' }, { phase: 'evaluate', silent: 3_600_500, limit: 3_600_000 });
    expect(loss).toEqual({ code: 'WORKER_HUNG', reason: "no word for 60 min in phase 'evaluate' (limit 60 min): the worker was stopped", permanent: false });
    // We sent that signal.
    expect(memoryFaultOf(loss, { signal: 'SIGKILL' })).toBeUndefined();
  });

  test('and was killed: by the system for want of memory, by somebody, or nobody knows', () => {
    const of = (outOfMemory?: boolean) => {
      const ended = { signal: 'SIGKILL', ...(outOfMemory !== undefined && { outOfMemory }) };
      const loss = workerFailure(ended);
      return [loss.code, memoryFaultOf(loss, ended)];
    };
    expect([of(true), of(false), of()]).toEqual([
      ['OUT_OF_MEMORY', 'ran-out'],
      ['WORKER_LOST', 'suspected'],
      ['WORKER_LOST', 'ran-out'],
    ]);
  });

  test('and printed that memory ran out before it broke off', () => {
    const ended = { signal: 'SIGABRT', output: { text: '<--- Last few GCs --->\nFATAL ERROR: JavaScript heap out of memory\n', file: 'f' } };
    expect(workerFailure(ended)).toMatchObject({ code: 'OUT_OF_MEMORY', reason: expect.stringContaining('heap out of memory') as string });
    expect(memoryFaultOf(workerFailure(ended), ended)).toBe('ran-out');
  });

  test('and crashed otherwise', () => {
    expect(memoryFaultOf(workerFailure({ exitCode: 7 }), { exitCode: 7 })).toBeUndefined();
    expect(workerFailure({ signal: 'SIGSEGV' }).reason).toBe('the worker was ended by SIGSEGV');
  });
});
