/** From clocks, spans and stacks to the parts of a sweep: what a recording of known numbers gives. */
import { describe, expect, it } from 'vitest';
import { groupOf, GROUPS, ledger } from '../../bench/ledger/parts.ts';
import type { Recording, Sample } from '../../bench/ledger/record.ts';

const RUNNER = 10,
  WORKER = 20,
  COMPUTE = 21,
  HELPER = 22,
  LOADER = 23;

const frame = (stack: string[], bucket: number, seconds: number): Sample => ({ process: WORKER, bucket, seconds, stack });

/** A sweep of ten seconds on two cores: a worker with 4 s of kernels on two threads, 2 s of JavaScript and a loader. */
const recording: Recording = {
  wallSeconds: 10,
  cpuSeconds: 9,
  programs: new Map([
    [RUNNER, '/somewhere/cli/ablate.mjs'],
    [WORKER, '/somewhere/runner/worker.mjs'],
  ]),
  threads: [
    { process: RUNNER, thread: RUNNER, name: 'node', seconds: 1, javaScript: 'main' },
    { process: WORKER, thread: WORKER, name: 'node', seconds: 2, javaScript: 'main' },
    { process: WORKER, thread: COMPUTE, name: 'tf_Compute', seconds: 3 },
    { process: WORKER, thread: HELPER, name: 'tf_Compute', seconds: 1 },
    { process: WORKER, thread: LOADER, name: 'node', seconds: 0.5, javaScript: 'worker' },
    { process: WORKER, thread: LOADER + 1, name: 'v8:ProfEvntProc', seconds: 0.25 },
    { process: WORKER, thread: LOADER + 2, name: 'node', seconds: 0.75 },
  ],
  kernels: [
    { process: WORKER, thread: COMPUTE, bucket: 5, op: '_MklMatMul', seconds: 4 },
    { process: WORKER, thread: COMPUTE, bucket: 5, op: 'Mul', seconds: 1 },
    { process: WORKER, thread: COMPUTE, bucket: 6, op: 'MatMul', seconds: 2 },
    { process: WORKER, thread: COMPUTE, bucket: 5, op: 'runtime', seconds: 1 },
    // Waiting for the other threads.
    { process: WORKER, thread: WORKER, bucket: 5, op: 'runtime', seconds: 7 },
    { process: WORKER, thread: WORKER, bucket: 5, op: 'DeepCopy', seconds: 0.5 },
  ],
  samples: [
    frame(['wrapSafe cjs/loader', '(root) '], 1, 0.5),
    frame([' data/dataset', 'run stages/distill', 'execute runner/execute'], 2, 0.25),
    frame(['call compile/functions', 'feed stages/trainer', 'execute runner/execute'], 5, 6),
    frame(['feed stages/trainer', 'execute runner/execute'], 5, 0.5),
    frame(['call compile/functions', 'score stages/score', 'execute runner/execute'], 6, 2),
    frame(['(idle) ', '(root) '], 7, 1),
  ],
};

describe('the ledger', () => {
  const parts = new Map(ledger(recording, 2).map(({ name, seconds }) => [name, seconds]));

  it('adds up to the time of all cores', () => {
    expect([...parts.values()].reduce((a, b) => a + b, 0)).toBeCloseTo(20, 10);
  });

  it('gives the clocks of all computing threads to kernels, by their spans', () => {
    expect(parts.get('products')).toBeCloseTo(2, 10);
    expect(parts.get('Mul')).toBeCloseTo(0.5, 10);
  });

  it('puts what is computed while the main thread evaluates to evaluation', () => {
    expect(parts.get('evaluation')).toBeCloseTo(1, 10);
  });

  it('knows JavaScript by its stacks, and takes no waiting for work', () => {
    expect(parts.get('process start')).toBeCloseTo(0.5, 10);
    expect(parts.get('data sets')).toBeCloseTo(0.25, 10);
    expect(parts.get('JavaScript of steps')).toBeCloseTo(0.5, 10);
    expect(parts.get('between kernels')).toBeCloseTo(0.5 + 0.25, 10);
    expect(parts.get('DeepCopy')).toBeCloseTo(0.5, 10);
  });

  it('keeps loader, recorder, other threads, runner and other processes apart', () => {
    expect(['loader', 'the recorder', "Node's own threads", 'the runner', 'other processes', 'idle'].map(name => parts.get(name))).toEqual([0.5, 0.25, 0.75, 1, 0.5, 11]);
  });

  it('refuses spans that do not fit the clocks', () => {
    for (const seconds of [0, 1e9]) {
      const kernels = recording.kernels.map(kernel => ({ ...kernel, seconds }));
      expect(() => ledger({ ...recording, kernels }, 2)).toThrow(/Expected spans of kernels between 0\.8 and 40\.0 s, as the clocks of 2 threads say/);
    }
  });

  it('has a group for each part', () => {
    expect(new Set([...parts.keys()].map(groupOf))).toEqual(new Set(GROUPS));
  });
});
