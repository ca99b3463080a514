/** Programs: several functions over one state, tensors as outputs, and programs that are used again. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { compileProgram } from '../../../../src/engine/compile/compile-program.ts';
import { modeEnvironment, modeOfProcess } from '../../../../src/engine/compile/mode.ts';
import { createShared } from '../../../../src/engine/compile/shared.ts';
import { typesOf } from '../../../../src/engine/compile/checks.ts';
import { freeze, frozenTypes, disposeFrozen } from '../../../../src/engine/compile/frozen.ts';
import { nativeBackend } from '../../../../src/engine/compile/native.ts';
import type { Compilable, Program, ProgramOptions } from '../../../../src/engine/compile/program.ts';
import { loadEngine } from '../../../../src/engine/backend.ts';
import * as tf from '../../../../src/engine/tf.ts';
import type { Params } from '../../../../src/engine/formats/weights.ts';

beforeAll(() => loadEngine({ device: 'cpu', threads: 1 }));

let called = 0;
beforeEach(() => {
  called = 0;
});

const start = (values: readonly number[] = [1, 2]): Params => ({ w: tf.tensor1d([...values]) });
const input = (values: readonly number[] = [10, 20]): Params => ({ x: tf.tensor1d([...values]) });

/** `add`: w <- w + x, gives what w was; `inspect` gives tensors of all types, one of them the input as it is. */
const functions = (x: Params = input()): Record<string, Compilable> => ({
  add: {
    inputs: typesOf(x),
    fn: ({ w }, { x }) => {
      called += 1;
      return { state: { w: tf.add(w!, x!) }, outputs: { sum: tf.sum(w!) } };
    },
  },
  inspect: {
    inputs: typesOf(x),
    fn: ({ w }, { x }) => {
      called += 1;
      return {
        state: {},
        outputs: { outer: tf.outerProduct(tf.reshape(w!, [-1]), tf.reshape(x!, [-1])), order: tf.cast(x!, 'int32'), more: tf.greater(x!, w!), column: tf.reshape(x!, [-1, 1]), w: w! },
      };
    },
  },
});

function program(options: Partial<ProgramOptions> = {}): Program {
  return compileProgram(functions(), { state: start(), precision: 'float32', ...options });
}

const read = (tensors: Params): Record<string, unknown> => Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, tensor.arraySync()]));

describe.each(['eager', 'graph'] as const)('a program, %s', mode => {
  it("gives its outputs as tensors of any type and shape, which are the caller's", () => {
    const p = program({ mode });
    p.run('add', input());
    const given = input([3, 40]);
    const outputs = p.compute('inspect', given);
    tf.dispose(given);
    p.run('add', input());
    p.dispose();
    expect(read(outputs)).toEqual({
      outer: [
        [33, 440],
        [66, 880],
      ],
      order: [3, 40],
      more: [0, 1],
      column: [[3], [40]],
      w: [11, 22],
    });
    expect(Object.values(outputs).map(({ dtype }) => dtype)).toEqual(['float32', 'int32', 'bool', 'float32', 'float32']);
    tf.dispose(outputs);
  });

  it('hands its outputs to another program', () => {
    const [first, second] = [program({ mode }), program({ mode })];
    const { w } = first.compute('inspect', input());
    expect(second.run('add', { x: w! })).toEqual({ sum: 3 });
    expect(read(second.readState())).toEqual({ w: [2, 4] });
    first.dispose();
    second.dispose();
  });

  it('reads scalars alone as numbers, and refuses what it was not compiled for', () => {
    const p = program({ mode });
    const code = (f: () => unknown): unknown => {
      try {
        return f();
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    expect(code(() => p.run('inspect', input()))).toBe('OUTPUTS');
    expect(code(() => p.run('add', input([1, 2, 3])))).toBe('INPUTS');
    expect(code(() => p.run('add', {}))).toBe('INPUTS');
    expect(code(() => p.run('add', { ...input(), y: tf.scalar(1) }))).toBe('INPUTS');
    expect(code(() => p.compute('none', input()))).toBe('INPUTS');
    expect(code(() => p.writeState({ w: tf.scalar(1) }))).toBe('STATE');
    expect(code(() => p.writeState({ v: tf.scalar(1) }))).toBe('STATE');
    expect(p.run('add', input())).toEqual({ sum: 3 });
    p.dispose();
  });
});

describe('a signature', () => {
  it('stands for what was compiled, used or idle: nothing is recorded or defined again, the state is new', () => {
    const first = program({ signature: 'known' });
    called = 0;
    const defined = watchDefinitions();
    const second = program({ signature: 'known', state: start([5, 6]) });
    first.dispose();
    const third = program({ signature: 'known', state: start([7, 8]) });
    expect(called).toBe(0);
    expect(second.run('add', input())).toEqual({ sum: 11 });
    expect(third.run('add', input())).toEqual({ sum: 15 });
    expect(read(second.readState())).toEqual({ w: [15, 26] });
    second.dispose();
    third.dispose();
    expect(defined()).toEqual({ defined: 0, removed: 0 });
  });

  it('never gives one state to two users', () => {
    program({ signature: 'shared' }).dispose();
    const [a, b] = [program({ signature: 'shared' }), program({ signature: 'shared', state: start([7, 7]) })];
    a.run('add', input());
    expect(read(b.readState())).toEqual({ w: [7, 7] });
    a.dispose();
    a.dispose();
    const [c, d] = [program({ signature: 'shared' }), program({ signature: 'shared' })];
    c.run('add', input());
    expect(d.run('add', input())).toEqual({ sum: 3 });
    for (const p of [b, c, d]) p.dispose();
  });

  it.each<[string, () => Partial<ProgramOptions>, x?: number[]]>([
    ['text', () => ({ signature: 'other' })],
    ['precision', () => ({ precision: 'bfloat16' })],
    ['shape of inputs', () => ({}), [1]],
    ['shape of the state', () => ({ state: { w: tf.tensor2d([[1, 2]]) } })],
  ])('of another %s is another program', (_, options, x = [10, 20]) => {
    program({ signature: 'base' }).dispose();
    called = 0;
    compileProgram(functions(input(x)), { state: start(), precision: 'float32', signature: 'base', ...options() }).dispose();
    expect(called).toBe(2);
  });

  it('is needed for that: what a function computes cannot be seen from outside', () => {
    program().dispose();
    called = 0;
    const defined = watchDefinitions();
    program().dispose();
    expect(called).toBe(2);
    expect(defined()).toEqual({ defined: 2, removed: 2 });
  });

  it('finds the functions of a pack of twelve and their teacher idle, and forgets the oldest of many', () => {
    const pack = Array.from({ length: 13 }, (_, i) => program({ signature: i === 0 ? 'teacher' : 'student' }));
    for (const p of pack) p.dispose();
    called = 0;
    const again = Array.from({ length: 13 }, (_, i) => program({ signature: i === 0 ? 'teacher' : 'student' }));
    expect(called).toBe(0);
    for (const p of again) p.dispose();
    const defined = watchDefinitions();
    for (let i = 0; i < 40; i++) program({ signature: `one of many ${i}` }).dispose();
    expect(defined().removed).toBeGreaterThanOrEqual(2 * 8);
  });
});

it('compiling uploads nothing, and needs no memory for what the function will be given', () => {
  const { binding } = nativeBackend(),
    before = binding.traffic();
  const x = { dtype: 1, shape: [2 ** 20, 2 ** 14] }; // 64 GiB
  const compiled = compileProgram({ f: { inputs: { x }, fn: (_, { x }) => ({ state: {}, outputs: { y: tf.sum(tf.add(tf.square(x!), 3)) } }) } }, { state: {}, precision: 'float32' });
  expect(binding.traffic()).toEqual(before);
  compiled.dispose();
});

describe('frozen weights', () => {
  const float = (...shape: number[]) => ({ dtype: 1, shape });
  const scaled: Compilable = { inputs: { x: float() }, frozen: { table: float(4), spare: float() }, fn: (_, { x, table }) => ({ state: {}, outputs: { y: tf.mul(table!, x!) } }) };

  it.each(['eager', 'graph'] as const)('exist once, however many programs read them: %s', mode => {
    const frozen = freeze({ table: tf.tensor1d([1, 2, 3, 4]), spare: tf.scalar(9) }, mode),
      other = freeze({ table: tf.tensor1d([5, 6, 7, 8]) }, mode);
    expect(frozenTypes(frozen)['table']).toEqual({ dtype: 1, shape: [4] });
    const programs = [1, 2].map(() => compileProgram({ f: scaled }, { state: {}, precision: 'float32', mode, signature: 'frozen' }));
    for (const p of programs) expect(read(p.compute('f', { x: tf.scalar(2) }, frozen))).toEqual({ y: [2, 4, 6, 8] });
    if (mode === 'graph') {
      expect(read(programs[0]!.compute('f', { x: tf.scalar(2) }, other))).toEqual({ y: [10, 12, 14, 16] }); // one that no function reads may be missing
      expect(() => programs[0]!.compute('f', { x: tf.scalar(2) })).toThrow(expect.objectContaining({ code: 'INPUTS', message: expect.stringContaining("got no 'table'") as string }));
    }
    for (const p of programs) p.dispose();
    disposeFrozen(frozen);
  });
});

describe('a shared thing', () => {
  it('is made once for all who use it, and dropped when it has been idle longest', () => {
    const made: string[] = [],
      dropped: string[] = [];
    const shared = createShared<string>({ most: 2, drop: value => dropped.push(value) });
    const take = (key: string): string =>
      shared.take(key, () => {
        made.push(key);
        return key;
      });
    for (const key of ['a', 'b', 'a', 'c', 'd']) take(key);
    expect(made).toEqual(['a', 'b', 'c', 'd']);
    for (const key of ['a', 'b', 'c', 'd']) shared.release(key);
    expect(dropped).toEqual(['b']); // `a` has another user
    shared.release('a');
    expect(dropped).toEqual(['b', 'c']);
    expect([take('d'), take('c')]).toEqual(['d', 'c']);
    expect(made).toEqual(['a', 'b', 'c', 'd', 'c']);
  });
});

describe('a mode', () => {
  it('hybrid needs variables of the process, which the other modes must not have', () => {
    expect(modeOfProcess(modeEnvironment('hybrid'))).toBe('hybrid');
    expect([modeEnvironment('eager'), modeEnvironment('graph')]).toEqual([{}, {}]);
    expect(() => program({ mode: 'hybrid' })).toThrow(expect.objectContaining({ code: 'ENGINE', message: expect.stringContaining('started with TF_XLA_FLAGS="--tf_xla_auto_jit=2') as string }));
    Object.assign(process.env, modeEnvironment('hybrid'));
    try {
      expect(() => program({ mode: 'graph' })).toThrow(expect.objectContaining({ code: 'ENGINE', message: expect.stringContaining('Unset it') as string }));
    } finally {
      for (const name of Object.keys(modeEnvironment('hybrid'))) Reflect.deleteProperty(process.env, name);
    }
  });

  it('graph runs op by op on an engine that knows no graphs, and says so once', async () => {
    const warnings: string[] = [];
    const warn = (message: string): void => {
      warnings.push(message);
    };
    await tf.setBackend('cpu');
    try {
      const [first, second] = [program({ mode: 'graph', warn }), program({ mode: 'graph', warn })];
      first.run('add', input());
      expect(read(first.readState())).toEqual({ w: [11, 22] });
      expect(warnings).toEqual([expect.stringContaining('got "cpu"')]);
      expect(() => program({ precision: 'bfloat16', warn })).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }));
      first.dispose();
      second.dispose();
    } finally {
      await tf.setBackend('tensorflow');
    }
  });

  it('eager has one precision', () => {
    expect(() => program({ mode: 'eager', precision: 'bfloat16' })).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }));
  });
});

/** Counts functions of TensorFlow until it is asked. */
function watchDefinitions(): () => { defined: number; removed: number } {
  const backend = nativeBackend(),
    { binding } = backend;
  const counts = { defined: 0, removed: 0 };
  backend.binding = Object.assign(Object.fromEntries(Object.getOwnPropertyNames(binding).map(name => [name, (binding as unknown as Record<string, unknown>)[name]])) as unknown as typeof binding, {
    defineFunction: (...args: Parameters<typeof binding.defineFunction>) => {
      counts.defined += 1;
      binding.defineFunction(...args);
    },
    removeFunction: (...args: Parameters<typeof binding.removeFunction>) => {
      counts.removed += 1;
      binding.removeFunction(...args);
    },
  });
  return () => {
    backend.binding = binding;
    return counts;
  };
}
