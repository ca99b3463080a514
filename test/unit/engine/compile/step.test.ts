/** Compiled steps: the graph of one, what equals eager execution, what is refused. */
import { beforeAll, describe, expect, it } from 'vitest';
import { compileStep, type CompiledStep, type StepOptions } from '../../../../src/engine/compile/compile-step.ts';
import type { Mode } from '../../../../src/engine/compile/mode.ts';
import { CompileError } from '../../../../src/engine/compile/errors.ts';
import { nativeBackend } from '../../../../src/engine/compile/native.ts';
import type { StepFunction } from '../../../../src/engine/compile/step.ts';
import { loadEngine } from '../../../../src/engine/backend.ts';
import { linear } from '../../../../src/engine/grad/linear.ts';
import { stream } from '../../../../src/engine/random/rng.ts';
import * as tf from '../../../../src/engine/tf.ts';
import { fromTensors, type Params } from '../../../../src/engine/formats/weights.ts';

beforeAll(() => loadEngine({ device: 'cpu', threads: 1 }));

const ROWS = 16,
  IN = 5,
  OUT = 3;
const normals = (name: string, shape: readonly number[]): tf.Tensor => tf.tensor(stream(3, name, 0).normals(shape.reduce((a, b) => a * b, 1)), [...shape]);

/** Gradient descent of a linear map towards another, with momentum; the rate is an input, `unused` an untouched part of the state. */
const descend: StepFunction = ({ weight, bias, momentum, unused }, { x, rate, teacher_weight, teacher_bias }) => {
  const target = linear(x as tf.Tensor2D, teacher_weight!, teacher_bias!);
  const loss = (w: tf.Tensor, b: tf.Tensor): tf.Scalar => tf.mean(tf.square(tf.sub(linear(x as tf.Tensor2D, w, b), target)));
  const {
    value,
    grads: [dWeight, dBias],
  } = tf.valueAndGrads((w, b) => loss(w, b))([weight!, bias!]);
  const moved = tf.add(tf.mul(momentum!, 0.9), dWeight!);
  return {
    state: { weight: tf.sub(weight!, tf.mul(moved, rate!)), bias: tf.sub(bias!, tf.mul(dBias!, rate!)), momentum: moved, unused: unused! },
    outputs: { loss: value, half: tf.mul(value, 0.5) },
  };
};
const start = (): Params => ({
  weight: normals('weight', [OUT, IN]),
  bias: normals('bias', [OUT]),
  momentum: tf.zeros([OUT, IN]),
  unused: tf.tensor1d([1, -0, 3]),
});
const batch = (step: number, rows = ROWS): Params => ({
  x: tf.tensor(stream(4, 'x', step).normals(rows * IN), [rows, IN]),
  rate: tf.scalar(0.1 / (step + 1)),
  teacher_weight: normals('teacher', [OUT, IN]),
  teacher_bias: tf.zeros([OUT]),
  'never read': tf.ones([4]),
});

function train(mode: Mode, steps: number, options: Partial<StepOptions> = {}) {
  return scoped(() => {
    const step = compileStep(descend, { state: start(), mode, ...options });
    const losses = Array.from({ length: steps }, (_, i) => step.run(batch(i)));
    const state = fromTensors(step.readState());
    step.dispose();
    return { losses, state };
  });
}

function distance(a: ReturnType<typeof fromTensors>, b: ReturnType<typeof fromTensors>): number {
  const squares = (f: (name: string, i: number) => number): number =>
    Math.sqrt(
      Object.entries(a)
        .flatMap(([name, { data }]) => [...data.map((_, i) => f(name, i) ** 2)])
        .reduce((x, y) => x + y, 0),
    );
  return squares((name, i) => a[name]!.data[i]! - b[name]!.data[i]!) / squares((name, i) => b[name]!.data[i]!);
}

describe('a compiled step', () => {
  it('trains as the same function does op by op', () => {
    const eager = train('eager', 5),
      graph = train('graph', 5);
    expect(distance(graph.state, eager.state)).toBeLessThan(1e-6);
    graph.losses.forEach((losses, i) => {
      for (const name of ['loss', 'half']) expect(losses[name]).toBeCloseTo(eager.losses[i]![name]!, 5);
    });
    expect(graph.losses.at(-1)!['loss']).toBeLessThan(graph.losses[0]!['loss']! / 1.5);
  });

  it('is repeatable to the bit', () => {
    expect(train('graph', 4)).toEqual(train('graph', 4));
  });

  it('rounds products to bfloat16 and keeps its parameters in float32', () => {
    const exact = train('graph', 3),
      rounded = train('graph', 3, { precision: 'bfloat16' });
    const error = Math.abs(rounded.losses[0]!['loss']! / exact.losses[0]!['loss']! - 1);
    expect(error).toBeLessThan(1e-2);
    expect(error).toBeGreaterThan(1e-6);
    expect([...rounded.state['weight']!.data].some(value => (new Uint32Array(Float32Array.of(value).buffer)[0]! & 0xffff) !== 0)).toBe(true);
  });

  it('has for tf32 the graph of float32: the library decides how its products are computed', () => {
    expect(train('graph', 2, { precision: 'tf32' })).toEqual(train('graph', 2));
  });

  it.each<Mode>(['eager', 'graph'])('gives its state and takes it back, to the bit: %s', mode => {
    const whole = train(mode, 4);
    const resumed = scoped(() => {
      const first = compileStep(descend, { state: start(), mode });
      [0, 1].forEach(i => first.run(batch(i)));
      const saved = fromTensors(first.readState());
      const second = compileStep(descend, { state: start(), mode });
      second.run(batch(9)); // elsewhere, before it takes the saved state
      second.writeState(Object.fromEntries(Object.entries(saved).map(([name, { shape, data }]) => [name, tf.tensor(data, [...shape])])));
      [2, 3].forEach(i => second.run(batch(i)));
      const state = fromTensors(second.readState());
      first.dispose();
      second.dispose();
      return { state };
    });
    expect(resumed.state).toEqual(whole.state);
    expect(Object.is(whole.state['unused']!.data[1], -0)).toBe(true);
  });

  it('is compiled once for each shape of inputs, with one state throughout', () => {
    const run = (mode: Mode) =>
      scoped(() => {
        const step = compileStep(descend, { state: start(), mode });
        [ROWS, 4, ROWS, 4, ROWS].forEach((rows, i) => step.run(batch(i, rows)));
        const state = fromTensors(step.readState());
        step.dispose();
        return state;
      });
    expect(distance(run('graph'), run('eager'))).toBeLessThan(1e-6);
  });

  it('leaves the given tensors alone, and as many tensors after 1,000 steps as after one', () => {
    const state = start();
    const native = nativeBackend() as unknown as { getNumOfTFTensors(): number };
    const step = compileStep(descend, { state, mode: 'graph' });
    const run = (i: number): void => {
      const inputs = batch(i);
      step.run(inputs);
      tf.dispose(inputs);
    };
    run(0);
    const before = [tf.memory().numTensors, native.getNumOfTFTensors()];
    for (let i = 1; i < 1000; i++) run(i);
    expect([tf.memory().numTensors, native.getNumOfTFTensors()]).toEqual(before);
    for (const tensor of Object.values(state)) expect(tensor.isDisposed).toBe(false);
    step.dispose();
    tf.dispose(state);
  });

  it('never shares a state with another step in use', () => {
    const make = (): CompiledStep => compileStep(descend, { state: start(), mode: 'graph', signature: 'descend' });
    const [a, b] = [make(), make()];
    const alone = a.run(batch(0));
    a.run(batch(1));
    expect(b.run(batch(0))).toEqual(alone);
    a.dispose();
    a.dispose(); // a second time does no harm
    expect(attempt(() => a.run(batch(2)))).toMatchObject({ code: 'ENGINE' });
    const [c, d] = [make(), make()];
    c.run(batch(0));
    expect(d.run(batch(0))).toEqual(alone);
    for (const step of [b, c, d]) step.dispose();
  });

  it('leaves nothing behind when it is disposed of', () => {
    train('graph', 1);
    const before = tf.memory().numTensors;
    train('graph', 2);
    train('eager', 2);
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('what cannot be compiled', () => {
  const outside = (): tf.Tensor => tf.keep(tf.square(normals('outside', [2])));
  const refusals: Record<string, [code: string, message: RegExp, (x: tf.Tensor, outside: tf.Tensor) => tf.Tensor]> = {
    'a value read': ['VALUE_READ', /leaves all values in the engine/, x => tf.mul(x, x.dataSync()[0]!)],
    'a value read in the end': [
      'VALUE_READ',
      /leaves all values in the engine/,
      x => {
        const y = tf.sum(x);
        y.arraySync();
        return y;
      },
    ],
    'a value read by promise': [
      'VALUE_READ',
      /leaves all values in the engine/,
      x => {
        x.data().catch(() => undefined);
        return x;
      },
    ],
    'a refusal that the step swallows': [
      'VALUE_READ',
      /leaves all values/,
      x => {
        try {
          x.dataSync();
        } catch {
          /* goes on */
        }
        return x;
      },
    ],
    'a random op of tfjs': ['RANDOM_DRAW', /Math\.random/, x => tf.add(x, tf.randomUniform([2]))],
    dropout: ['RANDOM_DRAW', /Math\.random/, x => tf.dropout(x, 0.5)],
    'a stream of our own': ['RANDOM_DRAW', /stream 'noise'/, x => tf.mul(x, stream(1, 'noise', 0).uniform())],
    'a tensor from outside': ['CAPTURED_TENSOR', /Expected Mul to read .* as its input 1/, (x, other) => tf.mul(x, other)],
    'an op that is not known': ['UNKNOWN_OP', /got Cumsum.*ops\.ts/, x => tf.cumsum(x)],
  };

  it.each(Object.keys(refusals))('%s', name => {
    const [code, message, f] = refusals[name]!;
    const other = outside(),
      backend = nativeBackend();
    const { binding } = backend,
      random = Math.random;
    const tensors = tf.memory().numTensors;
    const step = compileStep((_, { x }) => ({ state: {}, outputs: { y: tf.sum(f(x!, other)) } }), { state: {}, mode: 'graph' });
    const x = tf.tensor1d([1, 2]);
    const error = attempt(() => step.run({ x }));
    expect(error).toBeInstanceOf(CompileError);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) as string });
    expect(backend.binding).toBe(binding);
    expect(Math.random).toBe(random);
    expect(Object.keys(backend)).not.toContain('readSync');
    expect([...x.dataSync()]).toEqual([1, 2]); // reading works again
    expect(stream(1, 'noise', 0).uniform()).toBeGreaterThan(0);
    tf.dispose([x, other]);
    expect(tf.memory().numTensors).toBe(tensors - 1);
  });

  it('a tensor from outside whose values are still on the host', () => {
    const host = tf.tensor1d([3, 4]),
      x = tf.tensor1d([1, 2]);
    const step = compileStep((_, { x }) => ({ state: {}, outputs: { y: tf.sum(tf.mul(x!, host)) } }), { state: {}, mode: 'graph' });
    expect(attempt(() => step.run({ x }))).toMatchObject({ code: 'CAPTURED_TENSOR' });
    tf.dispose([host, x]);
  });

  it.each<[string, string, RegExp, StepFunction]>([
    ['a state of another name', 'STATE', /got 'state\/more', too/, ({ w }) => ({ state: { w: w!, more: tf.add(w!, 1) }, outputs: { y: tf.sum(w!) } })],
    ['a state of another shape', 'STATE', /'state\/w' to stay float32 \[2\], got float32 \[1\]/, ({ w }) => ({ state: { w: tf.sum(w!, 0, true) }, outputs: { y: tf.sum(w!) } })],
    ['an output that is no scalar', 'OUTPUTS', /'y' to be a float32 scalar, got float32 \[2\]/, ({ w }) => ({ state: {}, outputs: { y: tf.neg(w!) } })],
    ['no output', 'OUTPUTS', /at least one output/, ({ w }) => ({ state: { w: tf.neg(w!) }, outputs: {} })],
  ])('%s', (_, code, message, fn) => {
    const w = tf.tensor1d([1, 2]);
    const step = compileStep(fn, { state: { w }, mode: 'graph' });
    expect(attempt(() => step.run({}))).toMatchObject({ code, message: expect.stringMatching(message) as string });
    step.dispose();
    w.dispose();
  });

  it('an error of the step itself comes through, and the engine is as before', () => {
    const backend = nativeBackend(),
      { binding } = backend;
    const step = compileStep(
      () => {
        throw new RangeError('mine');
      },
      { state: {}, mode: 'graph' },
    );
    expect(() => step.run({})).toThrow(RangeError);
    expect(backend.binding).toBe(binding);
  });

  it('a new state that does not fit', () => {
    const w = tf.tensor1d([1, 2]),
      x = tf.scalar(1);
    const step = compileStep(({ w }, { x }) => ({ state: { w: tf.mul(w!, x!) }, outputs: { y: tf.sum(w!) } }), { state: { w }, mode: 'graph' });
    step.run({ x });
    expect(attempt(() => step.writeState({ w: x }))).toMatchObject({ code: 'STATE', message: expect.stringContaining('stay float32 [2], got float32 []') as string });
    expect(attempt(() => step.writeState({ v: x }))).toMatchObject({ code: 'STATE', message: expect.stringContaining("got 'v', too") as string });
    step.dispose();
    tf.dispose([w, x]);
  });
});

/** Disposes of all tensors made meanwhile. (`tf.tidy` would look for tensors in the arrays that are returned.) */
function scoped<T>(f: () => T): T {
  tf.engine().startScope();
  try {
    return f();
  } finally {
    tf.engine().endScope();
  }
}

function attempt(f: () => unknown): unknown {
  try {
    f();
  } catch (error) {
    return error;
  }
  return undefined;
}
