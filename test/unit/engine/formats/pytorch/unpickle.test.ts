/** Pickles that PyTorch writes today by no default, and those that ask for what is not given. */
import { describe, expect, it } from 'vitest';
import { Namespace } from '../../../../../src/engine/formats/pytorch/objects.ts';
import { PickledStorage, PickledTensor } from '../../../../../src/engine/formats/pytorch/storage.ts';
import { unpickle } from '../../../../../src/engine/formats/pytorch/unpickle.ts';

/** Text is the letters of instructions and what they read; numbers are bytes. */
const pickle = (...parts: readonly (string | number)[]): Uint8Array => Buffer.concat(parts.map(part => (typeof part === 'number' ? Buffer.of(part) : Buffer.from(part, 'latin1'))));

const load = (bytes: Uint8Array): unknown =>
  unpickle(bytes, 0, { source: 'file', limit: 100, storage: (dtype, _key, _place, length) => new PickledStorage(dtype, Number(length), 'file', (_, count) => new Uint8Array(count).fill(1)) }).value;

const text = (value: string): string => `X${String.fromCharCode(value.length)}\0\0\0${value}`;
const PROTOCOL_4 = [0x80, 4, 0x95, ...new Uint8Array(8)];
const STACK_GLOBAL = 0x93,
  MEMOIZE = 0x94,
  TUPLE = 't';
const storage = (type: string, length: number): (string | number)[] => ['(', text('storage'), `ctorch\n${type}\n`, text('0'), text('cpu'), 'K', length, TUPLE, 'Q'];
/** A tensor whose sizes and strides are numbers below 256. */
const tensor = (length: number, offset: number, shape: number[], strides: number[]): (string | number)[] => {
  const tuple = (values: number[]): (string | number)[] => ['(', ...values.flatMap(value => ['K', value]), TUPLE];
  return ['ctorch._utils\n_rebuild_tensor_v2\n', '(', ...storage('FloatStorage', length), 'K', offset, ...tuple(shape), ...tuple(strides), 0x89, '}', TUPLE, 'R'];
};

describe('a pickle', () => {
  it.each<[string, Uint8Array, unknown]>([
    ['a dictionary of protocol 4', pickle(...PROTOCOL_4, '}', MEMOIZE, '(', 0x8c, 1, 'a', 0x88, 'h', 0, 'N', 'u', '.'), 'itself'],
    ['a long integer', pickle(0x8a, 9, 1, 0, 0, 0, 0, 0, 0, 0, 1, '.'), 2n ** 64n + 1n],
    ['a negative one', pickle(0x8a, 1, 0xff, '.'), -1],
    ['none at all', pickle(0x8a, 0, '.'), 0],
    ['a float', pickle('G', ...Buffer.from('3ff8000000000000', 'hex'), '.'), 1.5],
    ['text of Python 2', pickle('U', 2, 'ab', '.'), 'ab'],
    ['bytes', pickle('C', 2, 1, 2, '.'), Buffer.of(1, 2)],
    ['a set', pickle('c__builtin__\nset\n', '(', ']', 'K', 3, 'a', TUPLE, 'R', '.'), [3]],
    ['a set of protocol 4', pickle(...PROTOCOL_4, 0x8f, '(', 'K', 3, 0x90, '.'), [3]],
    ['a dictionary of pairs', pickle('ccollections\nOrderedDict\n', '(', ']', '(', 'K', 1, 'K', 2, TUPLE, 'a', TUPLE, 'R', '.'), new Map([[1, 2]])],
  ])('of %s is read', (_, bytes, expected) => {
    const value = load(bytes);
    if (expected === 'itself') {
      const dictionary = value as Map<unknown, unknown>;
      expect(dictionary.get('a')).toBe(true);
      expect(dictionary.get(dictionary)).toBeNull();
    } else expect(value).toEqual(expected);
  });

  it('of a Namespace, named on the stack, is inert data', () => {
    const value = load(pickle(...PROTOCOL_4, 0x8c, 8, 'argparse', 0x8c, 9, 'Namespace', STACK_GLOBAL, ')', 0x81, '}', 0x8c, 2, 'lr', 'K', 3, 's', 'b', '.'));
    expect(value).toBeInstanceOf(Namespace);
    expect([...(value as Namespace).fields]).toEqual([['lr', 3]]);
  });

  it('of a tensor is one, which is read when it is asked for', () => {
    const value = load(pickle(...tensor(6, 1, [2, 2], [2, 1]), '.'));
    expect(value).toBeInstanceOf(PickledTensor);
    expect((value as PickledTensor).read()).toMatchObject({ dtype: 'F32', shape: [2, 2] });
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['a function on the stack', pickle(...PROTOCOL_4, 0x8c, 2, 'os', 0x8c, 6, 'system', STACK_GLOBAL, '.'), /got os\.system, which is not made here; nothing was run/],
    ['a name that objects of JavaScript have', pickle('cObject\nprototype\n.'), /got Object\.prototype/],
    ['a name that all of them have', pickle('c\nconstructor\n.'), /got \.constructor/],
    ['an old way to call', pickle('(', 'ios\nsystem\n', '.'), /the instruction 0x69/],
    ['another old way', pickle('(', 'ccollections\nOrderedDict\n', 'o', '.'), /the instruction 0x6f/],
    ['an extension', pickle(0x82, 1, '.'), /the instruction 0x82/],
    ['a call of a tensor', pickle(...tensor(1, 0, [1], [1]), ')', 'R', '.'), /a known class and its arguments, got a tensor and a list of 0/],
    ['a type as text', pickle('(', text('storage'), text('F32'), text('0'), text('cpu'), 'K', 1, TUPLE, 'Q', '.'), /the place of a storage/],
    ['more repeated rows than the file could hold', pickle(...tensor(1, 0, [255, 255], [0, 0]), '.'), /a tensor of at most 100 elements/],
    ['a tensor beyond its storage', pickle(...tensor(3, 1, [3], [1]), '.'), /within its storage of 3 elements, got one that reaches element 3/],
    ['sizes without strides', pickle(...tensor(3, 0, [3], []), '.'), /a stride for each size/],
    ['no sizes', pickle('ctorch._utils\n_rebuild_tensor_v2\n', '(', ...storage('FloatStorage', 1), 'K', 0, 'N', 'N', TUPLE, 'R', '.'), /a tensor of a storage, sizes and strides/],
    ['an integer of a megabyte', pickle(0x8b, 0, 0, 0x10, 0, '.'), /an integer of at most 64 bytes/],
    ['a state of nothing', pickle('K', 1, '}', 'b', '.'), /a Namespace or a dictionary to fill/],
    ['more than one value', pickle('N', 'N', '.'), /Expected one value in its pickle, got 2/],
    ['nothing', pickle('.'), /a value on the stack in its pickle, got none/],
    ['something never remembered', pickle('h', 7, '.'), /something remembered at 7/],
    ['no end', pickle('N'), /a pickle with its end/],
    ['a name without an end', pickle('ccollections\nOrdered'), /a pickle with its end/],
  ])('of %s is refused', (_, bytes, message) => {
    expect(() => load(bytes)).toThrow(expect.objectContaining({ name: 'CheckpointError', message: expect.stringMatching(message) as string }) as Error);
  });
});
