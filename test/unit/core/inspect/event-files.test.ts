import { describe, expect, it } from 'vitest';
import { crc32c, eventFile } from '../../../../src/core/inspect/event-files.ts';

/** Vectors of RFC 3720, appendix B.4. */
describe('crc32c', () => {
  it.each([
    [new Uint8Array(32), 0x8a9136aa],
    [new Uint8Array(32).fill(0xff), 0x62a8ab43],
    [Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
    [Buffer.from('123456789'), 0xe3069283],
  ])('of %o', (bytes, crc) => {
    expect(crc32c(bytes)).toBe(crc);
  });
});

describe('an event file', () => {
  it('is the bytes that TensorBoard 2 writes itself', () => {
    // tensorboard.summary.writer.record_writer.RecordWriter with Event(wall_time=1.5, step=0, file_version='brain.Event:2'), then
    // Event(wall_time=1.5, step=300, summary=Summary(value=[Summary.Value(tag='tree/epoch', simple_value=0.5), Summary.Value(tag='tree/loss', simple_value=2.25)])).
    const written =
      '1800000000000000a37f4b2209000000000000f83f1a0d627261696e2e4576656e743a322a28646c33000000000000000ca7205609000000000000f83f10ac022a250a110a0a747265652f65706f6368150000003f0a100a09747265652f6c6f737315000010402b54f4ae';
    expect(eventFile([{ step: 300, epoch: 0.5, loss: 2.25 }], {}, { time: 1.5, prefix: 'tree' }).toString('hex')).toBe(written);
  });

  it('has the numbers of the result at the last step, and not its texts', () => {
    const bytes = eventFile([], { accuracy: 0.5, order: 'abc' }, { time: 0, prefix: 'evaluate' }).toString('latin1');
    expect(bytes).toContain('evaluate/result/accuracy');
    expect(bytes).not.toContain('order');
  });
});
