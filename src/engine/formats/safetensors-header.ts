/** Reading and checking the header of a safetensors file. A header that passes describes every byte of the data exactly once. */
import type { ByteSource } from './bytes.ts';
import { ARRAY_OF, BYTES_PER_ELEMENT, type DType } from './dtype.ts';
import { fail } from './safetensors-error.ts';

/** The reference implementation's limit: a larger length is taken for damage before anything is allocated. */
export const MAX_HEADER_BYTES = 100_000_000;
export const METADATA_KEY = '__metadata__';

interface HeaderEntry {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Bytes from the start of the data. */
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  /** In the order of the data. */
  readonly entries: readonly HeaderEntry[];
  readonly metadata: Readonly<Record<string, string>>;
  /** Where the data begins in the file, in bytes. */
  readonly dataStart: number;
}

export function parseHeader({ name: source, size, read }: ByteSource): Header {
  if (size < 8) fail('TRUNCATED', source, 'at least 8 bytes', `${size}`);
  const length = new DataView(read(0, 8).buffer).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) {
    fail('HEADER_TOO_LARGE', source, `a header of at most ${MAX_HEADER_BYTES} bytes`, `a header length of ${length.toString()}`);
  }
  const dataStart = 8 + Number(length);
  if (dataStart > size) {
    fail('TRUNCATED', source, `a header of ${length.toString()} bytes`, `${size - 8} bytes after its length`);
  }
  const { [METADATA_KEY]: metadata = {}, ...tensors } = parseJsonObject(read(8, Number(length)), source);
  const entries = Object.entries(tensors).map(([name, value]) => parseEntry(name, value, source));
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  expectGapless(entries, size - dataStart, source);
  return { entries, metadata: parseMetadata(metadata, source), dataStart };
}

function parseJsonObject(bytes: Uint8Array, source: string): Record<string, unknown> {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    fail('NOT_UTF8', source, 'a header in UTF-8', 'other bytes');
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    fail('INVALID_JSON', source, 'a header in JSON', `text that is none (${(error as Error).message})`);
  }
  if (!isObject(value) || !text.startsWith('{')) fail('INVALID_JSON', source, 'a header that is a JSON object', text.slice(0, 20));
  checkStructure(text, source);
  return value;
}

/** A header has names, entries, and the lists of these. */
const MAX_DEPTH = 3;
const COLON = /[ \t\n\r]*:/y;

/**
 * JSON.parse keeps the last of several equal keys in silence, and reads any depth, so both are looked for in the text.
 * @param text valid JSON
 */
function checkStructure(text: string, source: string): void {
  const open: (Set<string> | undefined)[] = []; // keys of the objects, undefined for lists
  for (let at = 0; at < text.length; at++) {
    switch (text[at]) {
      case '{':
      case '[':
        open.push(text[at] === '{' ? new Set() : undefined);
        if (open.length > MAX_DEPTH) fail('INVALID_JSON', source, `a header nested at most ${MAX_DEPTH} deep`, 'more');
        break;
      case '}':
      case ']':
        open.pop();
        break;
      case '"': {
        const end = endOfString(text, at);
        const keys = open.at(-1);
        COLON.lastIndex = end;
        if (keys && COLON.test(text)) addKey(keys, text.slice(at, end), source);
        at = end - 1;
      }
    }
  }
}

/** Behind the closing quote of the string that begins at `from`. */
function endOfString(text: string, from: number): number {
  let at = from + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

function addKey(keys: Set<string>, written: string, source: string): void {
  const key = JSON.parse(written) as string;
  if (keys.has(key)) fail('DUPLICATE_KEY', source, 'unique names', `${written} twice`);
  keys.add(key);
}

function parseMetadata(value: unknown, source: string): Record<string, string> {
  if (!isObject(value) || !Object.values(value).every(text => typeof text === 'string')) {
    fail('INVALID_METADATA', source, `${METADATA_KEY} to map names to strings`, JSON.stringify(value));
  }
  return value as Record<string, string>;
}

function parseEntry(name: string, value: unknown, source: string): HeaderEntry {
  const of = `tensor "${name}"`;
  if (/\p{Surrogate}/u.test(name)) fail('INVALID_NAME', source, 'well-formed tensor names', JSON.stringify(name));
  if (!isObject(value)) fail('INVALID_ENTRY', source, `${of} to have dtype, shape and data_offsets`, JSON.stringify(value));
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string' || !Object.hasOwn(ARRAY_OF, dtype)) {
    fail('UNKNOWN_DTYPE', source, `${of} to have a dtype of ${Object.keys(ARRAY_OF).join(', ')}`, JSON.stringify(dtype) ?? 'none');
  }
  if (!isSizes(shape)) {
    fail('INVALID_SHAPE', source, `${of} to have a shape of non-negative integers`, JSON.stringify(shape) ?? 'none');
  }
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[0]! > offsets[1]!) {
    fail('INVALID_OFFSETS', source, `${of} to have data_offsets [begin, end]`, JSON.stringify(offsets) ?? 'none');
  }
  const [begin, end] = offsets as [number, number];
  const size = shape.reduce((product, s) => product * s, BYTES_PER_ELEMENT[dtype as DType]);
  // Above 2^53 products are rounded, but no pair of offsets can be that far apart: they are unequal all the same.
  if (size !== end - begin) {
    fail('SIZE_MISMATCH', source, `${of}, ${dtype} of shape [${shape.join()}], to take ${size} bytes`, `${end - begin}`);
  }
  return { name, dtype: dtype as DType, shape, begin, end };
}

/** @param entries sorted by offset */
function expectGapless(entries: readonly HeaderEntry[], dataBytes: number, source: string): void {
  let covered = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== covered) {
      fail(begin < covered ? 'OVERLAP' : 'HOLE', source, `tensor "${name}" to begin at byte ${covered} of the data`, `${begin}`);
    }
    covered = end;
  }
  if (covered > dataBytes) fail('TRUNCATED', source, `${covered} bytes of data`, `${dataBytes}`);
  if (covered < dataBytes) fail('TRAILING_DATA', source, `${covered} bytes of data`, `${dataBytes}`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(size => Number.isSafeInteger(size) && size >= 0);
}
