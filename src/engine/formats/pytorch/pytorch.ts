/**
 * Files of `torch.save`: a zip archive with a pickle and a record for each storage (PyTorch 1.6 and later), or a stream of pickles with the
 * storages behind it. Source: pytorch/pytorch, torch/serialization.py.
 */
import type { ByteSource } from '../bytes.ts';
import { BYTES_PER_ELEMENT, type DType } from '../dtype.ts';
import { refuse } from './error.ts';
import { PickledStorage } from './storage.ts';
import { unpickle, type UnpickleOptions } from './unpickle.ts';
import { zipRecords } from './zip.ts';

/** A pickle of a hundred thousand tensors; that of a ViT-L has some hundred. */
const MAX_PICKLE = 2 ** 24;

const ZIP = [0x50, 0x4b, 0x03, 0x04];
const PICKLE = 0x80;

/** Which of the two forms a file has, by its first bytes; undefined: neither. */
export function pytorchForm(source: ByteSource): 'zip' | 'legacy' | undefined {
  const first = source.read(0, Math.min(4, source.size));
  if (ZIP.every((byte, i) => first[i] === byte)) return 'zip';
  return first[0] === PICKLE ? 'legacy' : undefined;
}

/**
 * What a file of `torch.save` holds: mostly a dictionary (a Map) with tensors, or with the dictionary of a model's tensors in it. Numbers of
 * tensors are read when they are asked for.
 * @throws CheckpointError when the file is damaged, or holds anything but tensors, containers, numbers, text and `argparse.Namespace`
 */
export function unpickleFile(source: ByteSource): unknown {
  return pytorchForm(source) === 'zip' ? unpickleZip(source) : unpickleLegacy(source);
}

function unpickleZip(source: ByteSource): unknown {
  const records = zipRecords(source);
  const pickles = [...records.keys()].filter(name => /^[^/]+\/data\.pkl$/.test(name));
  if (pickles.length !== 1) refuse('NOT_A_CHECKPOINT', source.name, 'a zip archive of PyTorch with a record data.pkl', pickles.length === 0 ? 'none' : `${pickles.length} of them`);
  const [pickle] = pickles,
    folder = pickle!.slice(0, -'data.pkl'.length);
  const whole = (name: string): Uint8Array<ArrayBuffer> | undefined => {
    const record = records.get(`${folder}${name}`);
    if (record === undefined) return undefined;
    if (record.size > MAX_PICKLE) refuse('DAMAGED', source.name, `a record "${name}" of at most ${MAX_PICKLE} bytes`, `${record.size}`);
    return record.read(0, record.size);
  };
  const order = whole('byteorder');
  if (order !== undefined) expectLittleEndian(Buffer.from(order).toString('latin1'), source);
  const storage: UnpickleOptions['storage'] = (dtype, key, _location, length) => {
    const name = `${folder}data/${String(key)}`,
      record = records.get(name);
    if (record === undefined) refuse('DAMAGED', source.name, `a record "${name}", which its pickle names`, 'none');
    expectSize(dtype, length, record.size, `record "${name}"`, source);
    return new PickledStorage(dtype, length as number, source.name, record.read);
  };
  return unpickle(whole('data.pkl')!, 0, { source: source.name, limit: source.size, storage }).value;
}

const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;

/** Four pickles (magic number, version, facts of the machine, the object), one of the storages' keys, then each storage behind its length. */
function unpickleLegacy(source: ByteSource): unknown {
  const bytes = source.read(0, Math.min(source.size, MAX_PICKLE));
  const storages = new Map<string, LegacyStorage>();
  let at = 0;
  const next = (storage: UnpickleOptions['storage'] = () => refuse('DAMAGED', source.name, 'a pickle without storages', 'one with a storage')): unknown => {
    const { value, end } = unpickle(bytes, at, { source: source.name, limit: source.size, storage });
    at = end;
    return value;
  };
  const magic = next();
  if (magic !== MAGIC) refuse('NOT_A_CHECKPOINT', source.name, 'a file of torch.save', 'another pickle');
  const version = next();
  if (version !== PROTOCOL) refuse('UNSUPPORTED', source.name, `version ${PROTOCOL} of the legacy format`, String(version));
  const facts = next();
  expectLittleEndian(facts instanceof Map && facts.get('little_endian') === false ? 'big' : 'little', source);
  const value = next((dtype, key, _location, length, view = null) => {
    if (view !== null) refuse('UNSUPPORTED', source.name, 'storages of their own', 'a view of a storage, of a very old PyTorch; load and save it with a newer one');
    if (!Number.isSafeInteger(length) || (length as number) < 0) refuse('DAMAGED', source.name, 'a storage with a length', String(length));
    const name = String(key),
      known = storages.get(name) ?? new LegacyStorage(name, source);
    storages.set(name, known);
    known.expect(dtype, length as number);
    return new PickledStorage(dtype, length as number, source.name, (offset, bytesToRead) => known.read(offset, bytesToRead));
  });
  placeStorages(next(), storages, at, source);
  return value;
}

class LegacyStorage {
  readonly #name: string;
  readonly #source: ByteSource;
  #bytes = 0;
  #elementBytes = 1;
  #start = 0;

  constructor(name: string, source: ByteSource) {
    this.#name = name;
    this.#source = source;
  }

  expect(dtype: DType, length: number): void {
    this.#elementBytes = BYTES_PER_ELEMENT[dtype];
    this.#bytes = length * this.#elementBytes;
  }

  /** @param at where its length stands, with the numbers behind. @returns where it ends */
  place(at: number): number {
    const source = this.#source,
      what = `storage "${this.#name}" of ${this.#bytes} bytes`;
    this.#start = at + 8;
    const end = this.#start + this.#bytes;
    if (end > source.size) refuse('TRUNCATED', source.name, what, `${Math.max(0, source.size - this.#start)}; the file is probably not whole, load it again`);
    const elements = new DataView(source.read(at, 8).buffer).getBigInt64(0, true);
    if (elements !== BigInt(this.#bytes / this.#elementBytes)) refuse('DAMAGED', source.name, what, `${elements.toString()} elements`);
    return end;
  }

  read(offset: number, length: number): Uint8Array<ArrayBuffer> {
    return this.#source.read(this.#start + offset, length);
  }
}

function placeStorages(keys: unknown, storages: ReadonlyMap<string, LegacyStorage>, start: number, source: ByteSource): void {
  const names = Array.isArray(keys) ? keys.map(String) : [];
  if (new Set(names).size !== storages.size || !names.every(name => storages.has(name))) {
    refuse('DAMAGED', source.name, `the keys of ${storages.size} storages`, `${names.length} keys`);
  }
  let at = start;
  for (const name of names) at = storages.get(name)!.place(at);
  if (at !== source.size) refuse('DAMAGED', source.name, `a file of ${at} bytes`, `${source.size}`);
}

function expectLittleEndian(order: string, source: ByteSource): void {
  if (order !== 'little') refuse('UNSUPPORTED', source.name, "numbers in the order 'little'", `'${order}'`);
}

function expectSize(dtype: DType, length: unknown, bytes: number, what: string, source: ByteSource): void {
  const expected = Number.isSafeInteger(length) && (length as number) >= 0 ? (length as number) * BYTES_PER_ELEMENT[dtype] : undefined;
  if (expected !== bytes) refuse('DAMAGED', source.name, `${what} of ${expected ?? 'a number of'} bytes, as its pickle says`, `${bytes}`);
}
