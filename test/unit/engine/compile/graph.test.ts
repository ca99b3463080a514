/** From a recorded function to its graph: the passes one by one, and a golden graph. */
import { beforeAll, describe, expect, it } from 'vitest';
import { compileProgram } from '../../../../src/engine/compile/compile-program.ts';
import { typesOf } from '../../../../src/engine/compile/checks.ts';
import { emitFunction } from '../../../../src/engine/compile/emit.ts';
import { call, define, remove, variable } from '../../../../src/engine/compile/functions.ts';
import { graphDef, type GraphNode } from '../../../../src/engine/compile/protobuf.ts';
import { bfloat16Products, splitSums } from '../../../../src/engine/compile/bfloat16.ts';
import { addBiases, directCasts, dropSameCasts, dropUnused, plainProducts, rewrite, shareConstants } from '../../../../src/engine/compile/rewrite.ts';
import { traceStep, type StepFunction } from '../../../../src/engine/compile/step.ts';
import { DTYPE, typeOf, type Trace } from '../../../../src/engine/compile/trace.ts';
import { adamwUpdate } from '../../../../src/tinymim/optim/adamw.ts';
import { loadEngine } from '../../../../src/engine/backend.ts';
import { float32Products } from '../../../../src/engine/compile/float32-products.ts';
import { gelu } from '../../../../src/engine/grad/gelu.ts';
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
const traced = (fn: StepFunction, inputs: Params = { x: x() }, state: Params = {}): Trace => traceStep(fn, { state: typesOf(state), inputs: typesOf(inputs) });
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

  it('cast bytes at once to what they are cast to in the end', () => {
    const trace = dropUnused(
      directCasts(
        traceStep((_, { x }) => ({ state: {}, outputs: { y: tf.add(tf.cast(x!, 'float32'), 1), z: tf.add(x!, tf.scalar(1, 'int32')) } }), {
          state: {},
          inputs: { x: { dtype: DTYPE.uint8, shape: [2] } },
        }),
      ),
    );
    const casts = trace.operations.filter(({ op }) => op === 'Cast').map(({ inputs, attributes: { SrcT, DstT } }) => [inputs[0] === trace.inputs['x'], SrcT!.value, DstT!.value]);
    expect(casts).toEqual([
      [true, DTYPE.uint8, DTYPE.int32],
      [true, DTYPE.uint8, DTYPE.float32],
    ]);
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
      const program = compileProgram({ f: { fn: (_, { x }) => ({ state: {}, outputs: { y: tf.matMul(moved(tf.mul(x!, 1.1)), x!) } }), inputs: typesOf({ x }) } }, { state: {}, precision: 'bfloat16' });
      return [...program.compute('f', { x })['y']!.dataSync()];
    };
    // A sum with zeros keeps the transposition out of the pass's sight.
    expect(f(y => tf.transpose(y))).toEqual(f(y => tf.add(tf.transpose(y), tf.zeros([4, 4]))));
  });

  const ROWS = Float32Array.from(stream(5, 'x', 0).normals(4096));
  const weights = (): Params => ({ x: tf.tensor2d(ROWS, [64, 64]), w: tf.tensor2d(ROWS, [64, 64]), b: tf.tensor1d(ROWS.slice(0, 64)) });
  const rounded = (fn: StepFunction): Trace => rewrite(traced(fn, weights()), 'bfloat16');
  const typesByOp = (trace: Trace, wanted: readonly string[]): (readonly [string, number])[] =>
    trace.operations.filter(({ op }) => wanted.includes(op)).map(({ op, outputs: [output] }) => [op, typeOf(trace, output!).dtype] as const);
  const CHAIN = ['MatMul', 'BiasAdd', 'Erf'];

  it('compute bias and GELU in bfloat16 with the product where only their result is read, and cast back once', () => {
    const trace = rounded((_, { x, w, b }) => ({ state: {}, outputs: { y: gelu(linear(x as tf.Tensor2D, w!, b!)) } }));
    expect(typesByOp(trace, CHAIN)).toEqual(CHAIN.map(op => [op, DTYPE.bfloat16]));
    expect(trace.operations.filter(({ op, attributes }) => op === 'Cast' && attributes['DstT']!.value === DTYPE.float32)).toHaveLength(1);
  });

  it('add a bias in float32 where the sum is read as it is: by a residual connection, by the gradient of a GELU', () => {
    const residual = rounded((_, { x, w, b }) => ({ state: {}, outputs: { y: tf.add(x!, linear(x as tf.Tensor2D, w!, b!)) } }));
    const gradient = rounded((_, { x, w, b }) => ({ state: {}, outputs: { y: tf.grad(x => tf.sum(gelu(linear(x as tf.Tensor2D, w!, b!))))(x!) } }));
    for (const trace of [residual, gradient]) {
      expect(typesByOp(trace, ['BiasAdd'])).toEqual([['BiasAdd', DTYPE.float32]]);
      expect(typesByOp(trace, ['MatMul']).every(([, type]) => type === DTYPE.bfloat16)).toBe(true);
    }
  });

  it('round a sum with a bias once where the next product reads it', () => {
    const trace = rounded((_, { x, w, b }) => ({ state: {}, outputs: { y: tf.matMul(tf.reshape(linear(x as tf.Tensor2D, w!, b!), [64, 64]), w as tf.Tensor2D) } }));
    expect(typesByOp(trace, ['BiasAdd', 'Reshape'])).toEqual([
      ['BiasAdd', DTYPE.bfloat16],
      ['Reshape', DTYPE.bfloat16],
    ]);
  });

  it('give products whose results are compared the bits of float32', () => {
    const f: StepFunction = (_, { x, w, b }) => ({
      state: {},
      outputs: { y: float32Products(() => linear(x as tf.Tensor2D, w!, b!)), z: float32Products(() => tf.matMul(tf.stack([x!, x!]), tf.stack([w!, w!]))) },
    });
    const values = (['float32', 'bfloat16'] as const).map(precision => {
      const inputs = weights(),
        program = compileProgram({ f: { fn: f, inputs: typesOf(inputs) } }, { state: {}, precision });
      return Object.values(program.compute('f', inputs)).map(value => value.arraySync());
    });
    expect(values[1]).toEqual(values[0]);
  });

  const weightGradient = (rows: number, columns: number): Trace =>
    splitSums(plainProducts(traced((_, { x, y }) => ({ state: {}, outputs: { y: tf.matMul(x as tf.Tensor2D, y as tf.Tensor2D, true) } }), { x: tf.zeros([rows, 64]), y: tf.zeros([rows, columns]) })));

  it('add up long sums over rows from sums over at most 1024, all alike', () => {
    const trace = weightGradient(4352, 256);
    expect(ops(trace).filter(op => op !== 'Const')).toEqual(['Reshape', 'Reshape', 'BatchMatMulV2', 'Sum']);
    expect(typeOf(trace, trace.operations.find(({ op }) => op === 'BatchMatMulV2')!.inputs[0]!).shape).toEqual([8, 544, 64]);
    expect(typeOf(trace, trace.outputs['y']!).shape).toEqual([64, 256]);
  });

  it('leave sums over few rows, of large results, and over rows that do not divide', () => {
    for (const trace of [weightGradient(1024, 256), weightGradient(4352, 2048), weightGradient(4357, 256)]) expect(ops(trace)).toEqual(['MatMul']);
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
  const golden = () => emitFunction(rewrite(traced(step, { x: tf.tensor1d([10, 20]), spare: tf.scalar(0) }, { w: tf.tensor1d([1, 2]), other: tf.scalar(0) }), 'float32'));
  const line = ({ name, op, inputs }: GraphNode): string => `${name} = ${op}(${inputs.join(', ')})`;

  it('of a function of three ops', () => {
    const { nodes, ...rest } = golden();
    expect(nodes.map(line)).toEqual([
      'step/input/x = Placeholder()',
      'variable/state/w = Placeholder()',
      'step/read/state/w = ReadVariableOp(variable/state/w)',
      'step/Add_0 = Add(step/read/state/w, step/input/x)',
      'step/Const_1 = Const()',
      'step/Sum_2 = Sum(step/read/state/w, step/Const_1)',
      'step/assign/state/w = AssignVariableOp(variable/state/w, step/Add_0, ^step/read/state/w)',
      'step/done = NoOp(^step/assign/state/w)',
      'step/output/loss = Identity(step/Sum_2, ^step/done)',
    ]);
    // What it does not read is no argument of it.
    expect(rest).toEqual({ feeds: ['step/input/x', 'variable/state/w'], fetches: ['step/output/loss'], inputs: ['x'], variables: ['state/w'], outputs: ['loss'] });
  });

  it('has the same bytes each time', () => {
    const [first, second] = [golden(), golden()].map(({ nodes }) => Buffer.from(graphDef(nodes)).toString('hex'));
    expect(first).toBe(second);
  });

  it('is one function over the variables of whoever calls it', () => {
    const defined = define(golden());
    const variables = [0, 1].map(i => variable(tf.tensor1d([i, i])));
    const losses = variables.map(w => call(defined, [tf.tensor1d([5, 7]), w]).map(loss => loss.arraySync()));
    expect(losses).toEqual([[0], [2]]);
    remove(defined);
    expect(variables.map(w => w.read().arraySync())).toEqual([
      [5, 7],
      [6, 8],
    ]);
    expect(() => call(defined, [tf.tensor1d([5, 7]), variables[0]!])).toThrow();
    for (const w of variables) w.dispose();
  });

  it('says which operation TensorFlow refuses, when it is defined', () => {
    const graph = golden();
    const nodes = graph.nodes.map(node => (node.op === 'Sum' ? { ...node, attributes: {} } : node));
    expect(() => define({ ...graph, nodes })).toThrow(expect.objectContaining({ code: 'UNSUPPORTED', message: expect.stringContaining('Sum') as string }));
  });

  it('says which operation the device does not have, before TensorFlow sees it', () => {
    const graph = golden();
    const nodes = graph.nodes.map(node => (node.op === 'Sum' ? { ...node, op: 'NoSuchOp' } : node));
    expect(() => define({ ...graph, nodes })).toThrow(expect.objectContaining({ code: 'PLACEMENT', message: expect.stringContaining('NoSuchOp') as string }));
  });
});

describe('protobuf', () => {
  const encoded = (attribute: GraphNode['attributes'][string]): string => Buffer.from(graphDef([{ name: 'n', op: 'o', inputs: [], attributes: { a: attribute } }])).toString('hex');

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
