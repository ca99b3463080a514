/** Everything computes on one device, and whatever does not is seen: with two logical CPUs, the second of which is the right one. */
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadEngine } from '../../../../src/engine/backend.ts';
import { nativeEnvironment } from '../../../../src/engine/backends/native.ts';
import { emitFunction } from '../../../../src/engine/compile/emit.ts';
import { hasKernel } from '../../../../src/engine/compile/kernels.ts';
import { place } from '../../../../src/engine/compile/placement.ts';
import { contextConfig, type GraphNode } from '../../../../src/engine/compile/protobuf.ts';
import { rewrite, type Precision } from '../../../../src/engine/compile/rewrite.ts';
import { traceStep } from '../../../../src/engine/compile/step.ts';
import { DTYPE, typeAttribute, type Attributes } from '../../../../src/engine/compile/trace.ts';
import * as tf from '../../../../src/engine/tf.ts';
import type { Printed } from '../../../helpers/logical-child.ts';
import { logicalCpu, logicalCpus } from '../../../helpers/logical-devices.ts';
import { placedDistillation } from '../../../helpers/placed-distillation.ts';
import { ALLOW_TYPESCRIPT } from '../../../helpers/typescript.ts';

beforeAll(() => loadEngine({ device: 'cpu', threads: 1 }));

describe('on the second of two logical devices', () => {
  const [right, wrong] = [logicalCpu(1), logicalCpu(0)];
  let printed: Printed;
  beforeAll(async () => {
    const { stdout } = await execa(process.execPath, ['--import', ALLOW_TYPESCRIPT, join(import.meta.dirname, '../../../helpers/logical-child.ts')], { env: logicalCpus(2) });
    printed = JSON.parse(stdout) as Printed;
  });

  it('are results, variables and frozen weights', () => {
    expect(printed.proof).toEqual({ promised: right, actual: [right, right] });
    expect(printed.results).toEqual([right]);
    expect(printed.variables).toEqual({ count: expect.any(Number) as number, devices: [right] });
    expect(printed.variables.count).toBeGreaterThan(100); // parameters, and their moments after a step of AdamW
    expect(printed.frozen).toEqual([right]);
  });

  it('is every node of a packed distillation, as TensorFlow ran it, with the bytes of the only device', async () => {
    const { nodes, sha256 } = printed.distillation;
    expect(nodes.filter(({ device }) => device !== right)).toEqual([]);
    expect(nodes.filter(({ op }) => op === 'ResourceApplyAdam').length).toBeGreaterThan(30);
    const alone = await placedDistillation();
    expect(new Set(alone.nodes.map(({ device }) => device))).toEqual(new Set([wrong]));
    expect(alone.nodes).toHaveLength(nodes.length);
    expect(sha256).toBe(alone.sha256);
  });

  it('a function that ran elsewhere is refused when the engine starts', () => {
    expect(printed.misplaced.start).toEqual({ code: 'ENGINE_DEVICE', message: expect.stringContaining(`on ${right} (asked for: the cpu), got ${wrong}`) as string });
  });

  it('a single node elsewhere is seen, and graphs without devices', () => {
    expect(printed.misplaced.one.filter(op => op.endsWith('MatMul'))).toHaveLength(1);
    expect(printed.misplaced.nowhere.length).toBeGreaterThan(100);
  });
});

describe('a graph for a device', () => {
  const devices = { compute: '/job:localhost/replica:0/task:0/device:GPU:0', host: '/job:localhost/replica:0/task:0/device:CPU:0' };
  const type = (name: keyof typeof DTYPE) => typeAttribute(DTYPE[name]);
  const node = (op: string, attributes: Attributes, name = op): GraphNode => ({ name, op, inputs: [], attributes });

  it('that lacks kernels is refused, with each op and its types once', () => {
    const nodes = [node('Placeholder', { dtype: type('float32') }), node('MatMul', { T: type('bfloat16') }), node('MatMul', { T: type('bfloat16') }, 'again'), node('Erf', { T: type('float32') })];
    // This library has kernels for CPUs, and those for any device.
    expect(() => place(nodes, devices)).toThrow(
      expect.objectContaining({ code: 'PLACEMENT', message: expect.stringContaining('Expected ops that compute on the GPU, got MatMul (bfloat16), Erf (float32), for which') as string }),
    );
  });

  it('keeps what counts with integers alone on the host, and all else where it computes', () => {
    const nodes = [
      node('Placeholder', { dtype: type('float32') }),
      node('Range', { Tidx: type('int32') }),
      node('GatherV2', { Tparams: type('bool'), Tindices: type('int32'), Taxis: type('int32') }),
      node('Reshape', { T: type('float32'), Tshape: type('int32') }),
      node('NoOp', {}),
    ];
    expect(place(nodes, devices).map(({ op, device }) => [op, device === devices.host ? 'host' : device === devices.compute ? 'device' : device])).toEqual([
      ['Placeholder', 'device'],
      ['Range', hasKernel('Range', { Tidx: type('int32') }, 'GPU') ? 'device' : 'host'],
      ['GatherV2', 'host'],
      ['Reshape', hasKernel('Reshape', { T: type('float32'), Tshape: type('int32') }, 'GPU') ? 'device' : 'host'],
      ['NoOp', 'device'],
    ]);
    expect(() => place([node('GatherV2', { Tparams: type('float32'), Tindices: type('int32') })], devices)).toThrow('GatherV2 (float32, int32)');
  });

  it.each<Precision>(['float32', 'bfloat16'])('of a traced function in %s is named as far as it has no kernels', precision => {
    const trace = rewrite(
      traceStep((_, { x }) => ({ state: {}, outputs: { y: tf.sum(tf.matMul(x!, tf.softmax(x!))) } }), { state: {}, inputs: { x: { dtype: DTYPE.float32, shape: [2, 2] } } }),
      precision,
    );
    const { nodes } = emitFunction(trace);
    expect(() => place(nodes, devices)).toThrow(`MatMul (${precision})`);
    expect(place(nodes, { compute: devices.host, host: devices.host }).map(({ device }) => device)).toEqual(nodes.map(() => devices.host));
  });
});

describe('kernels of the library', () => {
  const has = (op: string, types: Readonly<Record<string, keyof typeof DTYPE>>, device = 'CPU'): boolean =>
    hasKernel(op, Object.fromEntries(Object.entries(types).map(([name, dtype]) => [name, typeAttribute(DTYPE[dtype])])), device);

  it('are known by device and all their types', () => {
    expect(has('MatMul', { T: 'float32' })).toBe(true);
    expect(has('MatMul', { T: 'bool' })).toBe(false);
    expect(has('MatMul', { T: 'float32' }, 'GPU')).toBe(false);
    expect(has('OneHot', { T: 'float32', TI: 'int32' })).toBe(true);
    expect(has('OneHot', { T: 'float32', TI: 'bfloat16' })).toBe(false);
    expect(has('ResourceApplyAdam', { T: 'float32' })).toBe(true);
    expect(has('ResourceApplyAdam', { T: 'bool' })).toBe(false);
  });

  it('without types take all, and those for any device are for each', () => {
    expect(has('NoOp', {}, 'GPU')).toBe(true);
    expect(has('Cast', { SrcT: 'uint8', DstT: 'bfloat16' })).toBe(true);
    expect(has('AssignVariableOp', { dtype: 'float32' }, 'GPU')).toBe(true);
  });

  it('with a label are for nodes that name it', () => {
    // Grappler writes such nodes for oneDNN, with a label; the library has no other kernels of the op.
    expect(has('_MklNativeFusedMatMul', { T: 'float32' })).toBe(false);
  });

  it('take lists of types whole', () => {
    const list = (...types: (keyof typeof DTYPE)[]): Attributes => ({ T: { kind: 'list', value: types.map(name => typeAttribute(DTYPE[name])) } });
    expect(hasKernel('IdentityN', list('float32', 'int32'), 'CPU')).toBe(true);
    expect(hasKernel('Nonesuch', list('float32'), 'CPU')).toBe(false);
  });
});

describe('options of the context', () => {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

  it('are a ConfigProto', () => {
    // From protobuf's encoding: an entry of device_count; gpu_options with a double and a flag.
    expect(hex(contextConfig({ devices: { CPU: 2 } }))).toBe('0a070a034350551002');
    expect(hex(contextConfig({ gpuMemoryFraction: 0.5 }))).toBe('320b09000000000000e03f2001');
    expect(hex(contextConfig({}))).toBe('');
  });

  it('give a worker of a shared card its part of the memory', () => {
    const environment = (given: Record<string, string>, device: 'cpu' | 'gpu' = 'gpu'): string | undefined => nativeEnvironment({ device, threads: 1 }, given)['TINYMIM_ENGINE_CONFIG'];
    expect(environment({ TINYMIM_GPU_MEMORY_FRACTION: '0.5' })).toBe('320b09000000000000e03f2001');
    expect(environment({ TINYMIM_GPU_MEMORY_FRACTION: '0.5', TINYMIM_ENGINE_CONFIG: '0a070a034350551002' })).toBe('0a070a034350551002320b09000000000000e03f2001');
    expect(environment({ TINYMIM_GPU_MEMORY_FRACTION: '0.5' }, 'cpu')).toBeUndefined();
    expect(environment({})).toBeUndefined();
    for (const wrong of ['0', '1.5', 'half', '-1']) expect(() => environment({ TINYMIM_GPU_MEMORY_FRACTION: wrong })).toThrow(expect.objectContaining({ code: 'ENGINE_OPTIONS' }));
  });
});
