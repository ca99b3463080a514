/** Files of PyTorch: what is in them bit by bit, and what is refused. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withFile } from '../../src/engine/formats/bytes.ts';
import { readSafetensors, type StoredTensor } from '../../src/engine/formats/safetensors.ts';
import { weightsIn } from '../../src/engine/formats/weight-file.ts';
import { fixturePath, readFixtureJson } from '../helpers/parity/fixtures.ts';

interface Case {
  readonly valid: boolean | null;
  readonly what: string;
  readonly format?: string;
  readonly expected?: string;
  readonly tensors?: Readonly<Record<string, readonly [dtype: string, shape: readonly number[]]>>;
}

const { files } = readFixtureJson('checkpoints') as { files: Record<string, Case> };
const path = (file: string) => join(fixturePath('checkpoints'), file);
const cases = Object.entries(files).map(([file, one]) => ({ file, ...one }));

/** Every tensor, in the file's own type: numbers as their bits. */
const readAll = (file: string) =>
  withFile(path(file), source => {
    const { format, tensors, path: where, beside } = weightsIn(source);
    return { format, where, beside, tensors: new Map([...tensors].map(([name, tensor]): [string, StoredTensor] => [name, tensor.read()])) };
  });

const bits = (tensors: ReadonlyMap<string, StoredTensor>) =>
  Object.fromEntries(
    [...tensors].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, { dtype, shape, data }]) => [name, [dtype, shape, Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex')]]),
  );

const FORMATS: Readonly<Record<string, string>> = { zip: 'PyTorch (zip)', 'legacy pickle stream': 'PyTorch (legacy)' };

/** What is said of each file that is refused. */
const refusals: Readonly<Record<string, RegExp>> = {
  'evil_system.pth': /posix\.system|os\.system/,
  'evil_system_legacy.pth': /posix\.system|os\.system/,
  'evil_eval.pth': /builtin.*\.eval/,
  'evil_eval_legacy.pth': /builtin.*\.eval/,
  'evil_getattr.pth': /builtin.*\.getattr/,
  'evil_size.pth': /a tensor within its storage of 8 elements/,
  'evil_offset.pth': /a tensor within its storage of 8 elements/,
  'evil_stride.pth': /a tensor within its storage of 8 elements/,
  'evil_negative.pth': /numbers from 0 on/,
  'truncated_half.pth': /with its directory at the end/,
  'truncated_tail.pth': /with its directory at the end/,
  'truncated_legacy.pth': /storage ".*" of \d+ bytes/,
  'truncated_legacy_pickle.pth': /a pickle with its end/,
  'empty.pth': /an empty file/,
  'not_a_checkpoint.pth': /one that begins with "</,
  'bitflip_data.pth': /record "small\/data\/\d" with the CRC-32/,
  'bitflip_pickle.pth': /record "small\/data.pkl" with the CRC-32/,
  'bitflip_directory.pth': /Expected record/,
  'missing_record.pth': /a record "small\/data\/1"/,
  'short_record.pth': /record "small\/data\/0" of 48 bytes, as its pickle says, got 44/,
  'no_pickle.pth': /with a record data\.pkl, got none/,
  'big_endian.pth': /in the order 'little', got 'big'/,
  'deflated.pth': /stored, as PyTorch writes it, got a compressed one/,
};

describe('files of PyTorch', () => {
  it('are all listed', () => {
    expect(cases.map(c => c.file).sort()).toEqual(
      readdirSync(fixturePath('checkpoints'))
        .filter(file => !file.endsWith('.safetensors'))
        .sort(),
    );
    expect(
      cases
        .filter(c => c.valid !== true)
        .map(c => c.file)
        .sort(),
    ).toEqual(Object.keys(refusals).sort());
  });

  it.each(cases.filter(c => c.valid === true))('are read: $file, $what', ({ file, format, expected, tensors }) => {
    const read = readAll(file);
    if (format !== undefined) expect(read.format).toBe(FORMATS[format]);
    expect(bits(read.tensors)).toEqual(bits(readSafetensors(path(expected!)).tensors));
    for (const [name, [, shape]] of Object.entries(tensors ?? {})) expect(read.tensors.get(name)?.shape, name).toEqual(shape);
  });

  it.each(cases.filter(c => c.valid !== true))('are refused: $file, $what', ({ file }) => {
    expect(() => readAll(file)).toThrow(expect.objectContaining({ name: 'CheckpointError', message: expect.stringMatching(refusals[file]!) as string }) as Error);
  });

  it('say where the tensors stand', () => {
    expect(readAll('training_state.pth')).toMatchObject({ where: ['model'], beside: expect.arrayContaining(['optimizer', 'args', 'epoch']) as string[] });
    expect(readAll('bare_state_dict.pt')).toMatchObject({ where: [], beside: [] });
  });
});
