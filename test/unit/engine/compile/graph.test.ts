/** From a recorded function to its graph: the passes one by one, and a golden graph. */
import { beforeAll, describe, expect, it } from 'vitest';
import { compileProgram } from '../../../../src/engine/compile/compile-program.ts';
import { emitGraph } from '../../../../src/engine/compile/emit.ts';
import { savedModel, type GraphNode } from '../../../../src/engine/compile/protobuf.ts';
import { addBiases, bfloat16Products, dropSameCasts, dropUnused, plainProducts, rewrite, shareConstants } from '../../../../src/engine/compile/rewrite.ts';
import { openSession } from '../../../../src/engine/compile/session.ts';
import { traceStep, type StepFunction } from '../../../../src/engine/compile/step.ts';
import { DTYPE, typeOf, type Trace } from '../../../../src/engine/compile/trace.ts';
import { adamwUpdate } from '../../../../src/tinymim/optim/adamw.ts';
import { loadEngine } from '../../../../src/engine/backend.ts';
import { linear } from '../../../../src/engine/grad/linear.ts';
import { stream } from '../../../../src/engine/random/rng.ts';
import * as tf from '../../../../src/engine/tf.ts';
import type { Params } from '../../../../src/engine/formats/weights.ts';

beforeAll(() => loadEngine({ device: 'cpu', threads: 1 }));

const x = (): tf.Tensor =>
  tf.tensor2d([
    [1, 2],
    [3, 4],
  ]);
const traced = (fn: StepFunction, inputs: Params = { x: x() }, state: Params = {}): Trace => traceStep(fn, { state, frozen: {}, inputs });
/** The trace of a function of one input, summed. */
const ofInput = (f: (x: tf.Tensor) => tf.Tensor): Trace => traced((_, { x }) => ({ state: {}, outputs: { y: tf.sum(f(x!)) } }));
const ops = ({ operations }: Trace): string[] => operations.map(({ op }) => op);

describe('the passes', () => {
  it('drop what has no effect', () => {
    const trace = ofInput(x => {
      tf.exp(tf.neg(x));
      return tf.square(x);
    });
    expect(ops(trace)).toEqual(['Neg', 'Exp', 'Square', 'Const', 'Sum']);
    expect(ops(dropUnused(trace))).toEqual(['Square', 'Const', 'Sum']);
  });

  it('keep an operation for any of its outputs', () => {
    const trace = dropUnused(ofInput(x => tf.unstack(x)[1]!));
    expect(ops(trace)).toContain('Unpack');
  });

  it('drop casts to the same type alone', () => {
    const trace = dropSameCasts(
      traced((_, { x }) => {
        const whole = tf.cast(x!, 'int32');
        const same = tf.engine().runKernel('Cast', { x: x! }, { dtype: 'float32' }) as unknown as tf.Tensor;
        return { state: {}, outputs: { y: tf.sum(tf.add(same, tf.cast(whole, 'float32'))) } };
      }),
    );
    expect(ops(trace).filter(op => op === 'Cast')).toHaveLength(2);
  });

  it('share equal constants of equal shape and type', () => {
    const trace = dropUnused(shareConstants(ofInput(x => tf.add(tf.mul(tf.add(x, 2), tf.scalar(2)), tf.tensor1d([2])))));
    const constants = trace.operations.filter(({ op }) => op === 'Const').map(({ outputs }) => typeOf(trace, outputs[0]!));
    expect(constants).toEqual([
      { dtype: DTYPE.float32, shape: [] },
      { dtype: DTYPE.float32, shape: [1] },
      { dtype: DTYPE.int32, shape: [2] },
    ]);
  });

  it('make plain products of matrices, batched ones stay', () => {
    const trace = plainProducts(
      ofInput(x => {
        const stacked = tf.stack([x, x]);
        return tf.add(tf.matMul(stacked, stacked), tf.matMul(x as tf.Tensor2D, x as tf.Tensor2D, true, false));
      }),
    );
    const products = trace.operations.filter(({ op }) => op.includes('MatMul'));
    expect(products.map(({ op }) => op)).toEqual(['BatchMatMulV2', 'MatMul']);
    expect(products[1]!.attributes).toEqual({ T: { kind: 'type', value: 1 }, transpose_a: { kind: 'bool', value: true }, transpose_b: { kind: 'bool', value: false } });
  });

  it('add a bias to a product, and nothing else', () => {
    const dense = (bias: () => tf.Tensor): string[] => ops(addBiases(plainProducts(ofInput(x => tf.add(tf.matMul(x as tf.Tensor2D, x as tf.Tensor2D), bias())))));
    expect(dense(() => tf.tensor1d([1, 2]))).toContain('BiasAdd');
    for (const other of [() => tf.scalar(1), () => tf.tensor1d([1]), () => tf.tensor2d([[1], [2]]), () => tf.tensor2d([[1, 2]])]) {
      expect(dense(other)).not.toContain('BiasAdd');
    }
    expect(ops(addBiases(ofInput(x => tf.add(tf.neg(x), tf.tensor1d([1, 2])))))).not.toContain('BiasAdd');
  });

  it('round the operands of products once each, and nothing of integers', () => {
    const trace = bfloat16Products(
      plainProducts(
        ofInput(x => {
          const product = tf.matMul(x, x);
          return tf.matMul(x, product);
        }),
      ),
    );
    const casts = trace.operations.filter(({ op }) => op === 'Cast').map(({ attributes: { DstT } }) => DstT!.value);
    expect(casts).toEqual([DTYPE.bfloat16, DTYPE.float32, DTYPE.float32]);
  });

  it('move elements in bfloat16 on their way from one product to the next', () => {
    const rounded = dropUnused(
      bfloat16Products(
        plainProducts(
          ofInput(x => {
            const [left, right] = tf.split(tf.matMul(x, x), 2, 1);
            return tf.matMul(tf.transpose(tf.reshape(left!, [1, 2])), right!, false, true);
          }),
        ),
      ),
    );
    const types = rounded.operations.filter(({ op }) => ['SplitV', 'Reshape', 'Transpose', 'MatMul'].includes(op)).map(({ op, outputs: [output] }) => [op, typeOf(rounded, output!).dtype]);
    expect(types).toEqual(['MatMul', 'SplitV', 'Reshape', 'Transpose', 'MatMul'].map(op => [op, DTYPE.bfloat16]));
    expect(ops(rounded).filter(op => op === 'Cast')).toHaveLength(2); // the first operand, and the result
  });

  it('rounding before elements are moved gives the bits of rounding afterwards', () => {
    const x = tf.tensor2d(stream(5, 'x', 0).normals(16), [4, 4]);
    const f = (moved: (y: tf.Tensor) => tf.Tensor): number[] => {
      const program = compileProgram(
        { f: { fn: (_, { x }) => ({ state: {}, outputs: { y: tf.matMul(moved(tf.mul(x!, 1.1)), x!) } }), inputs: { x } } },
        { state: {}, frozen: {}, precision: 'bfloat16' },
      );
      return [...program.compute('f', { x })['y']!.dataSync()];
    };
    // A sum with zeros keeps the transposition out of the pass's sight.
    expect(f(y => tf.transpose(y))).toEqual(f(y => tf.add(tf.transpose(y), tf.zeros([4, 4]))));
  });

  it('update a parameter and its moments by one fused op where they are variables, else op by op', () => {
    const update = (replaced: boolean): Trace => {
      const tensors = Object.fromEntries(['p', 'm', 'v'].map(name => [name, tf.tensor1d([1, 2])]));
      return rewrite(
        traced(
          ({ p, m, v }, { x }) => {
            const next = adamwUpdate({
              grads: { w: x! },
              params: { w: replaced ? tf.neg(p!) : p! },
              m: { w: m! },
              v: { w: v! },
              betas: [0.9, 0.99],
              rates: { lr: 0.1, stepSize: 0.1, epsilon: 1e-8 },
              groups: { w: { weightDecay: 0.1, lrScale: 1 } },
            });
            return { state: { p: next.params['w']!, m: next.m['w']!, v: next.v['w']! }, outputs: { y: tf.sum(x!) } };
          },
          { x: tf.tensor1d([3, 4]) },
          tensors,
        ),
        'float32',
      );
    };
    const fused = update(false),
      plain = update(true);
    expect(fused.updates).toMatchObject([{ op: 'ResourceApplyAdam', variables: ['state/p', 'state/m', 'state/v'] }]);
    expect(fused.assigned).toEqual({});
    expect(ops(fused)).not.toContain('Sqrt');
    expect(plain.updates).toEqual([]);
    expect(Object.keys(plain.assigned)).toEqual(['state/p', 'state/m', 'state/v']);
    expect(ops(plain)).toContain('Sqrt');
  });

  it('leave the given trace as it was', () => {
    const trace = ofInput(x => linear(x as tf.Tensor2D, tf.add(x, 1), tf.tensor1d([1, 2])));
    const before = structuredClone(trace);
    rewrite(trace, 'bfloat16');
    expect(trace).toEqual(before);
  });
});

describe('the graph', () => {
  /** w <- w + x; the loss is the sum of the old w. */
  const step: StepFunction = ({ w }, { x }) => ({ state: { w: tf.add(w!, x!) }, outputs: { loss: tf.sum(w!) } });
  const golden = () => {
    const w = tf.tensor1d([1, 2]);
    const trace = rewrite(traced(step, { x: tf.tensor1d([10, 20]) }, { w }), 'float32');
    return emitGraph({ 'state/w': { dtype: DTYPE.float32, shape: [2] } }, { step: trace });
  };
  const line = ({ name, op, inputs }: GraphNode): string => `${name} = ${op}(${inputs.join(', ')})`;

  it('of a function of three ops', () => {
    const { nodes, functions, read, write, free } = golden();
    expect(nodes.map(line)).toEqual([
      'variable/state/w = VarHandleOp()',
      'new/state/w = Placeholder()',
      'copy/state/w = DeepCopy(new/state/w)',
      'assign/state/w = AssignVariableOp(variable/state/w, copy/state/w)',
      'value/state/w = ReadVariableOp(variable/state/w)',
      'assigned/state/w = VarIsInitializedOp(variable/state/w, ^assign/state/w)',
      'step/input/x = Placeholder()',
      'step/read/state/w = ReadVariableOp(variable/state/w)',
      'step/Add_0 = Add(step/read/state/w, step/input/x)',
      'step/Const_1 = Const()',
      'step/Sum_2 = Sum(step/read/state/w, step/Const_1)',
      'step/assign/state/w = AssignVariableOp(variable/state/w, step/Add_0, ^step/read/state/w)',
      'step/done = NoOp(^step/assign/state/w)',
      'step/output/loss = Identity(step/Sum_2, ^step/done)',
      'destroy/state/w = DestroyResourceOp(variable/state/w)',
      'freed = VarIsInitializedOp(variable/state/w, ^destroy/state/w)',
    ]);
    expect({ functions, read, write, free }).toEqual({
      free: 'freed',
      functions: { step: { feeds: { x: 'step/input/x' }, fetches: { loss: 'step/output/loss' } } },
      read: { 'state/w': 'value/state/w' },
      write: { 'state/w': { feed: 'new/state/w', fetch: 'assigned/state/w' } },
    });
  });

  it('has the same bytes each time', () => {
    const [first, second] = [golden(), golden()].map(({ nodes }) => Buffer.from(savedModel(nodes)).toString('hex'));
    expect(first).toBe(second);
  });

  it('runs in a session of its own', () => {
    const graph = golden();
    const sessions = [openSession(graph.nodes), openSession(graph.nodes)];
    const { feed, fetch } = graph.write['state/w']!;
    const values = sessions.map((session, i) => {
      session.run({ [feed]: tf.tensor1d([i, i]) }, [fetch]);
      session.run({ 'step/input/x': tf.tensor1d([5, 7]) }, ['step/output/loss']);
      return session.run({}, [graph.read['state/w']!])[0]!.arraySync();
    });
    expect(values).toEqual([
      [5, 7],
      [6, 8],
    ]);
    for (const session of sessions) session.dispose();
  });

  it('says which operation TensorFlow refuses', () => {
    const nodes = golden().nodes.map(node => (node.op === 'Sum' ? { ...node, op: 'NoSuchOp' } : node));
    expect(() => openSession(nodes)).toThrow(/NoSuchOp/);
  });
});

describe('protobuf', () => {
  const encoded = (attribute: GraphNode['attributes'][string]): string => Buffer.from(savedModel([{ name: 'n', op: 'o', inputs: [], attributes: { a: attribute } }])).toString('hex');

  it.each<[string, GraphNode['attributes'][string], string]>([
    // From protobuf's encoding: key, length, then the AttrValue.
    ['an integer', { kind: 'int', value: 300 }, '0a0161 1203 18ac02'],
    ['a negative integer', { kind: 'int', value: -1 }, '0a0161 120b 18ffffffffffffffffff01'],
    ['a number', { kind: 'float', value: 1.5 }, '0a0161 1205 250000c03f'],
    ['a flag', { kind: 'bool', value: true }, '0a0161 1202 2801'],
    ['a string', { kind: 'string', value: 'NHWC' }, '0a0161 1206 12044e485743'],
    ['a type', { kind: 'type', value: 14 }, '0a0161 1202 300e'],
    ['a shape', { kind: 'shape', value: [2, 300] }, '0a0161 120b 3a09 12020802 12030 8ac02'],
    [
      'a list',
      {
        kind: 'list',
        value: [
          { kind: 'int', value: 1 },
          { kind: 'int', value: 2 },
        ],
      },
      '0a0161 1206 0a04 1801 1802',
    ],
    ['a constant', { kind: 'tensor', value: { dtype: 3, shape: [1], bytes: Uint8Array.of(7, 0, 0, 0) } }, '0a0161 1210 420e 0803 1204 12020801 2204 07000000'],
    ['a constant of one value', { kind: 'tensor', value: { dtype: 1, shape: [3], bytes: new Uint8Array(Float32Array.of(1, 1, 1).buffer) } }, '0a0161 1210 420e 0801 1204 12020803 2a04 0000803f'],
  ])('%s', (_, attribute, expected) => {
    expect(encoded(attribute)).toContain(expected.replaceAll(' ', ''));
  });
});
