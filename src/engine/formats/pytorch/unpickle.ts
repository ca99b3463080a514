/**
 * Python's pickle format as far as PyTorch's files need it: numbers, text, containers, tensors, and `argparse.Namespace` as inert data. A
 * pickle is a program that may call any function of Python; this reader knows a few by name (`objects.ts`) and refuses all others. Nothing of a file is ever executed. Source: CPython, Lib/pickletools.py.
 */
import { refuse } from './error.ts';
import { Callable, kindOf, named, Namespace, StorageType } from './objects.ts';
import type { PickledStorage } from './storage.ts';
import type { DType } from '../dtype.ts';

export interface UnpickleOptions {
  /** The file, for messages. */
  readonly source: string;
  /** Elements that a tensor may have at most. */
  readonly limit: number;
  /** What stands for the numbers of a tensor: the arguments of a persistent id behind the word `storage`. */
  readonly storage: (type: DType, ...rest: readonly unknown[]) => PickledStorage;
}

const MARK = Symbol('mark');
/** Bytes of an integer; PyTorch's longest is its magic number of 10. */
const MAX_LONG = 64;

/**
 * Reads one pickle.
 * @param bytes may go on behind it
 * @param start where it begins
 * @returns its value, and where it ends; dictionaries are maps, lists and tuples and sets arrays, integers beyond 2^53 bigints
 * @throws CheckpointError at the first thing that is not read here
 */
export function unpickle(bytes: Uint8Array, start: number, options: UnpickleOptions): { readonly value: unknown; readonly end: number } {
  return new Unpickler(bytes, start, options).run();
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

class Unpickler {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #options: UnpickleOptions;
  readonly #stack: unknown[] = [];
  readonly #memo = new Map<number, unknown>();
  #at: number;

  constructor(bytes: Uint8Array, start: number, options: UnpickleOptions) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = start;
    this.#options = options;
  }

  run(): { value: unknown; end: number } {
    for (;;) {
      const opcode = this.#byte();
      if (opcode === STOP) {
        const value = this.#pop();
        if (this.#stack.length > 0) this.#damaged('one value', `${this.#stack.length + 1}`);
        return { value, end: this.#at };
      }
      this.#step(opcode);
    }
  }

  #step(opcode: number): void {
    const constant = CONSTANTS.get(opcode);
    if (constant !== undefined) {
      this.#push(constant());
      return;
    }
    const read = this.#reads.get(opcode);
    if (read !== undefined) {
      this.#push(read());
      return;
    }
    const change = this.#changes.get(opcode);
    if (change === undefined) this.#refuse('a pickle of tensors, containers, numbers and text', `the instruction 0x${opcode.toString(16)} at byte ${this.#at - 1}`);
    change();
  }

  /** Instructions that push what they read. */
  readonly #reads: ReadonlyMap<number, () => unknown> = new Map<number, () => unknown>([
    [code('K'), () => this.#byte()], // BININT1
    [code('M'), () => this.#number(2, at => this.#view.getUint16(at, true))], // BININT2
    [code('J'), () => this.#number(4, at => this.#view.getInt32(at, true))], // BININT
    [code('G'), () => this.#number(8, at => this.#view.getFloat64(at))], // BINFLOAT, big-endian
    [0x8a, () => this.#long(this.#byte())], // LONG1
    [0x8b, () => this.#long(this.#length(4))], // LONG4
    [code('X'), () => this.#text(this.#length(4))], // BINUNICODE
    [0x8c, () => this.#text(this.#byte())], // SHORT_BINUNICODE
    [0x8d, () => this.#text(this.#length(8))], // BINUNICODE8
    [code('T'), () => this.#text(this.#length(4))], // BINSTRING, of Python 2
    [code('U'), () => this.#text(this.#byte())], // SHORT_BINSTRING
    [code('B'), () => this.#take(this.#length(4))], // BINBYTES
    [code('C'), () => this.#take(this.#byte())], // SHORT_BINBYTES
    [0x8e, () => this.#take(this.#length(8))], // BINBYTES8
    [code('h'), () => this.#recall(this.#byte())], // BINGET
    [code('j'), () => this.#recall(this.#length(4))], // LONG_BINGET
    [code('('), () => MARK],
    [code('t'), () => this.#popToMark()], // TUPLE
    [0x91, () => this.#popToMark()], // FROZENSET
    [0x85, () => this.#popMany(1)], // TUPLE1
    [0x86, () => this.#popMany(2)], // TUPLE2
    [0x87, () => this.#popMany(3)], // TUPLE3
    [code('c'), () => this.#named(this.#line(), this.#line())], // GLOBAL
    [0x93, () => this.#namedOnStack()], // STACK_GLOBAL
    [code('R'), () => this.#call()], // REDUCE
    [0x81, () => this.#call()], // NEWOBJ: a class and its arguments
    [code('Q'), () => this.#persistent(this.#pop())], // BINPERSID
    [code('2'), () => this.#top()], // DUP
  ]);

  /** Instructions that change what stands on the stack, or nothing that counts. */
  readonly #changes: ReadonlyMap<number, () => void> = new Map<number, () => void>([
    [0x80, () => void this.#byte()], // PROTO
    [0x95, () => void this.#take(8)], // FRAME
    [code('q'), () => void this.#memo.set(this.#byte(), this.#top())], // BINPUT
    [code('r'), () => void this.#memo.set(this.#length(4), this.#top())], // LONG_BINPUT
    [0x94, () => void this.#memo.set(this.#memo.size, this.#top())], // MEMOIZE
    [code('0'), () => void this.#pop()], // POP
    [code('1'), () => void this.#popToMark()], // POP_MARK
    [code('a'), () => this.#append([this.#pop()])], // APPEND
    [code('e'), () => this.#append(this.#popToMark())], // APPENDS
    [0x90, () => this.#append(this.#popToMark())], // ADDITEMS
    [code('s'), () => this.#setItems(this.#popMany(2))], // SETITEM
    [code('u'), () => this.#setItems(this.#popToMark())], // SETITEMS
    [code('b'), () => this.#build()], // BUILD
  ]);

  // What is read.

  #take(length: number): Uint8Array {
    if (this.#at + length > this.#bytes.length) refuse('TRUNCATED', this.#options.source, 'a pickle with its end', 'a part of one; the file is probably not whole, load it again');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  #byte(): number {
    return this.#take(1)[0]!;
  }

  #number(bytes: number, read: (at: number) => number): number {
    this.#take(bytes);
    return read(this.#at - bytes);
  }

  #length(bytes: 4 | 8): number {
    return this.#number(bytes, at => (bytes === 4 ? this.#view.getUint32(at, true) : Number(this.#view.getBigUint64(at, true))));
  }

  /** Two's complement, little-endian, of any length. */
  #long(length: number): number | bigint {
    if (length > MAX_LONG) this.#damaged(`an integer of at most ${MAX_LONG} bytes`, `${length}`);
    const bytes = this.#take(length);
    const hexadecimal = Buffer.from(bytes).reverse().toString('hex');
    const value = BigInt.asIntN(8 * length, BigInt(`0x0${hexadecimal}`));
    return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
  }

  #text(length: number): string {
    const bytes = this.#take(length);
    try {
      return utf8.decode(bytes);
    } catch {
      return this.#damaged('text in UTF-8', 'other bytes');
    }
  }

  #line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0) this.#take(this.#bytes.length); // which is too short
    const line = Buffer.from(this.#take(end - this.#at)).toString('latin1');
    this.#at += 1;
    return line;
  }

  // The stack.

  #push(value: unknown): void {
    this.#stack.push(value);
  }

  #pop(): unknown {
    if (this.#stack.length === 0 || this.#stack.at(-1) === MARK) this.#damaged('a value on the stack', 'none');
    return this.#stack.pop();
  }

  #popMany(count: number): unknown[] {
    return Array.from({ length: count }, () => this.#pop()).reverse();
  }

  #popToMark(): unknown[] {
    const mark = this.#stack.lastIndexOf(MARK);
    if (mark < 0) this.#damaged('a mark on the stack', 'none');
    const values = this.#stack.splice(mark);
    values.shift();
    return values;
  }

  #top(): unknown {
    const value = this.#stack.at(-1);
    if (value === undefined || value === MARK) this.#damaged('a value on the stack', 'none');
    return value;
  }

  #recall(place: number): unknown {
    if (!this.#memo.has(place)) this.#damaged(`something remembered at ${place}`, 'nothing');
    return this.#memo.get(place);
  }

  // What is made.

  #append(values: readonly unknown[]): void {
    const list = this.#top();
    if (!Array.isArray(list)) this.#damaged('a list to append to', kindOf(list));
    for (const value of values) (list as unknown[]).push(value);
  }

  #setItems(values: readonly unknown[]): void {
    const dictionary = this.#top();
    if (!(dictionary instanceof Map) || values.length % 2 !== 0) this.#damaged('a dictionary and pairs for it', kindOf(dictionary));
    for (let i = 0; i < values.length; i += 2) (dictionary as Map<unknown, unknown>).set(values[i], values[i + 1]);
  }

  #named(module: string, name: string): unknown {
    const path = `${module}.${name}`;
    return (
      named(path) ??
      this.#refuse('a file of tensors, containers, numbers and text', `${path}, which is not made here; nothing was run. If you trust the file, load it with PyTorch and save its state_dict alone`)
    );
  }

  #namedOnStack(): unknown {
    const [module, name] = this.#popMany(2);
    if (typeof module !== 'string' || typeof name !== 'string') this.#damaged('the name of a class', `${kindOf(module)} and ${kindOf(name)}`);
    return this.#named(module, name);
  }

  #call(): unknown {
    const [callable, args] = this.#popMany(2);
    if (!(callable instanceof Callable) || !Array.isArray(args)) this.#refuse('a known class and its arguments', `${kindOf(callable)} and ${kindOf(args)}`);
    return callable.make(args, this.#options);
  }

  #persistent(id: unknown): PickledStorage {
    if (!Array.isArray(id) || id[0] !== 'storage' || !(id[1] instanceof StorageType)) this.#damaged('the place of a storage', kindOf(id));
    const [, { dtype }, ...rest] = id as [string, StorageType, ...unknown[]];
    return this.#options.storage(dtype, ...rest);
  }

  /** The state of an object: fields of a Namespace; of a dictionary PyTorch keeps `_metadata` there, which says nothing of numbers. */
  #build(): void {
    const state = this.#pop();
    const object = this.#top();
    if (!(state instanceof Map)) this.#damaged('the state of an object as a dictionary', kindOf(state));
    if (object instanceof Namespace) for (const [name, value] of state as Map<unknown, unknown>) object.fields.set(name, value);
    else if (!(object instanceof Map)) this.#damaged('a Namespace or a dictionary to fill', kindOf(object));
  }

  #damaged(expected: string, got: string): never {
    return refuse('DAMAGED', this.#options.source, `${expected} in its pickle`, got);
  }

  #refuse(expected: string, got: string): never {
    return refuse('REFUSED', this.#options.source, expected, got);
  }
}

function code(letter: string): number {
  return letter.charCodeAt(0);
}

const STOP = code('.');

/** Instructions that push something new. */
const CONSTANTS: ReadonlyMap<number, () => unknown> = new Map<number, () => unknown>([
  [code('N'), () => null],
  [0x88, () => true],
  [0x89, () => false],
  [code('}'), () => new Map()],
  [code(']'), () => []],
  [code(')'), () => []],
  [0x8f, () => []], // EMPTY_SET
]);
