/**
 * Zip archives as `torch.save` writes them: records that are stored, not compressed, zip64 where they are large. Every record is held
 * against its CRC-32, which PyTorch itself does not do. Source: PKWARE's APPNOTE.TXT, sections 4.3 and 4.5.3.
 */
import { crc32 } from 'node:zlib';
import type { ByteSource } from '../bytes.ts';
import { refuse } from './error.ts';

export interface ZipRecord {
  readonly size: number;
  /** Bytes of the record, from the start of a buffer. The first call holds all of it against its CRC-32. */
  readonly read: (offset: number, length: number) => Uint8Array<ArrayBuffer>;
}

const END = 0x06054b50,
  END_64 = 0x06064b50,
  LOCATOR_64 = 0x07064b50,
  ENTRY = 0x02014b50,
  LOCAL = 0x04034b50;
const END_BYTES = 22,
  END_64_BYTES = 56,
  LOCATOR_64_BYTES = 20,
  ENTRY_BYTES = 46,
  LOCAL_BYTES = 30;
const LONGEST_COMMENT = 0xffff;
/** A directory of 100,000 records; a checkpoint has some hundred. */
const MAX_DIRECTORY = 2 ** 24;
/** What stands for "see the zip64 record". */
const IN_64 = 0xffffffff;
const ENCRYPTED = 1;

interface Directory {
  readonly offset: number;
  readonly size: number;
  readonly count: number;
}

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly flags: number;
  readonly crc: number;
  readonly compressed: number;
  readonly size: number;
  /** Of its local header. */
  readonly offset: number;
}

/** The records by name. @throws CheckpointError when the archive is damaged, compressed or encrypted */
export function zipRecords(source: ByteSource): ReadonlyMap<string, ZipRecord> {
  const directory = findDirectory(source);
  const records = new Map<string, ZipRecord>();
  for (const entry of entriesOf(source, directory)) {
    if (records.has(entry.name)) refuse('DAMAGED', source.name, 'records of different names', `"${entry.name}" twice`);
    records.set(entry.name, recordOf(source, entry, directory));
  }
  return records;
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** A number of 64 bits that is a place in a file. */
function size64(view: DataView, at: number, source: ByteSource): number {
  const value = view.getBigUint64(at, true);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) refuse('DAMAGED', source.name, 'sizes and offsets within the file', value.toString());
  return Number(value);
}

function findDirectory(source: ByteSource): Directory {
  const length = Math.min(source.size, END_BYTES + LONGEST_COMMENT);
  const tail = viewOf(source.read(source.size - length, length));
  for (let at = length - END_BYTES; at >= 0; at--) {
    if (tail.getUint32(at, true) !== END || at + END_BYTES + tail.getUint16(at + 20, true) !== length) continue;
    const end = source.size - length + at;
    const found = directory64(source, end) ?? { count: tail.getUint16(at + 10, true), size: tail.getUint32(at + 12, true), offset: tail.getUint32(at + 16, true) };
    if (found.offset + found.size > end) refuse('DAMAGED', source.name, `a zip directory before byte ${end}`, `one of ${found.size} bytes at ${found.offset}`);
    if (found.size > MAX_DIRECTORY) refuse('DAMAGED', source.name, `a zip directory of at most ${MAX_DIRECTORY} bytes`, `${found.size}`);
    return found;
  }
  return refuse('TRUNCATED', source.name, 'a zip archive with its directory at the end', 'none; the file is probably not whole, load it again');
}

/** Where there is a zip64 record, it counts. @param end place of the end record */
function directory64(source: ByteSource, end: number): Directory | undefined {
  if (end < LOCATOR_64_BYTES) return undefined;
  const locator = viewOf(source.read(end - LOCATOR_64_BYTES, LOCATOR_64_BYTES));
  if (locator.getUint32(0, true) !== LOCATOR_64) return undefined;
  const at = size64(locator, 8, source);
  if (at + END_64_BYTES > end) refuse('DAMAGED', source.name, `a zip64 record before byte ${end}`, `one at ${at}`);
  const record = viewOf(source.read(at, END_64_BYTES));
  if (record.getUint32(0, true) !== END_64) refuse('DAMAGED', source.name, `a zip64 record at byte ${at}`, 'something else');
  return { count: size64(record, 32, source), size: size64(record, 40, source), offset: size64(record, 48, source) };
}

function* entriesOf(source: ByteSource, { offset, size, count }: Directory): Generator<Entry> {
  const view = viewOf(source.read(offset, size));
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + ENTRY_BYTES > size || view.getUint32(at, true) !== ENTRY) refuse('DAMAGED', source.name, `${count} entries in the zip directory`, `${i}`);
    const nameBytes = view.getUint16(at + 28, true),
      extraBytes = view.getUint16(at + 30, true),
      commentBytes = view.getUint16(at + 32, true);
    const extra = at + ENTRY_BYTES + nameBytes,
      next = extra + extraBytes + commentBytes;
    if (next > size) refuse('DAMAGED', source.name, 'zip entries within the directory', `one that ends ${next - size} bytes behind it`);
    yield {
      name: Buffer.from(view.buffer, view.byteOffset + at + ENTRY_BYTES, nameBytes).toString('utf8'),
      flags: view.getUint16(at + 8, true),
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      ...sizesOf(view, at, extra, extraBytes, source),
    };
    at = next;
  }
}

/** The three fields that a zip64 extra field may replace: in this order, those of them that are full. */
function sizesOf(view: DataView, at: number, extra: number, extraBytes: number, source: ByteSource): Pick<Entry, 'size' | 'compressed' | 'offset'> {
  const fields = { size: view.getUint32(at + 24, true), compressed: view.getUint32(at + 20, true), offset: view.getUint32(at + 42, true) };
  for (let field = extra; field + 4 <= extra + extraBytes; field += 4 + view.getUint16(field + 2, true)) {
    if (view.getUint16(field, true) !== 1) continue;
    const end = field + 4 + view.getUint16(field + 2, true);
    let value = field + 4;
    for (const name of ['size', 'compressed', 'offset'] as const) {
      if (fields[name] !== IN_64) continue;
      if (value + 8 > Math.min(end, extra + extraBytes)) refuse('DAMAGED', source.name, 'a zip64 field with all its numbers', 'a shorter one');
      fields[name] = size64(view, value, source);
      value += 8;
    }
  }
  return fields;
}

const CRC_PIECE = 2 ** 24;

function recordOf(source: ByteSource, entry: Entry, directory: Directory): ZipRecord {
  const { name, size, crc } = entry;
  const start = dataStart(source, entry, directory);
  let checked = false;
  const check = (): void => {
    let sum = 0;
    for (let at = 0; at < size; at += CRC_PIECE) sum = crc32(source.read(start + at, Math.min(CRC_PIECE, size - at)), sum);
    if (sum !== crc) refuse('DAMAGED', source.name, `record "${name}" with the CRC-32 ${crc.toString(16)}`, `${sum.toString(16)}; the file is damaged, load it again`);
    checked = true;
  };
  return {
    size,
    read: (offset, length) => {
      if (!checked) check();
      return source.read(start + offset, length);
    },
  };
}

/** Where its bytes begin, behind a header that repeats the directory's entry. */
function dataStart(source: ByteSource, { name, method, flags, compressed, size, offset }: Entry, directory: Directory): number {
  if ((flags & ENCRYPTED) !== 0) refuse('UNSUPPORTED', source.name, `record "${name}" as it is`, 'an encrypted one');
  if (method !== 0 || compressed !== size) refuse('UNSUPPORTED', source.name, `record "${name}" stored, as PyTorch writes it`, 'a compressed one; load and save it with PyTorch');
  if (offset + LOCAL_BYTES > directory.offset) refuse('DAMAGED', source.name, `record "${name}" before the zip directory`, `one at byte ${offset}`);
  const local = viewOf(source.read(offset, LOCAL_BYTES));
  if (local.getUint32(0, true) !== LOCAL) refuse('DAMAGED', source.name, `record "${name}" at byte ${offset}`, 'something else');
  const nameBytes = local.getUint16(26, true);
  const start = offset + LOCAL_BYTES + nameBytes + local.getUint16(28, true);
  if (start + size > directory.offset) refuse('DAMAGED', source.name, `record "${name}" of ${size} bytes before the zip directory`, `one that ends at byte ${start + size}`);
  const written = Buffer.from(source.read(offset + LOCAL_BYTES, nameBytes)).toString('utf8');
  if (written !== name) refuse('DAMAGED', source.name, `record "${name}" at byte ${offset}`, `record "${written}"`);
  return start;
}
