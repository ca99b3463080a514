import { describe, expect, it } from 'vitest';
import { sincosPosEmbed } from '../../src/tinymim/nn/pos-embed.ts';
import { toFloat32 } from '../../src/engine/formats/safetensors.ts';
import { expectCloseAbsolute, fixture } from '../helpers/parity/fixtures.ts';

describe('sincosPosEmbed', () => {
  const { tensors } = fixture('sincos_pos_embed');

  it('has fixtures', () => expect(Object.keys(tensors).length).toBeGreaterThan(0));

  it.each(Object.keys(tensors))('%s', name => {
    const [, dim, rows, columns, cls] = /^dim(\d+)_grid(\d+)(?:x(\d+))?(_cls)?$/.exec(name)!;
    const table = sincosPosEmbed(Number(dim), [Number(rows), Number(columns ?? rows)]);
    const data = cls ? table : table.subarray(Number(dim));
    const stored = tensors[name]!;
    expectCloseAbsolute({ shape: [data.length / Number(dim), Number(dim)], data }, { shape: stored.shape, data: toFloat32(stored) }, 1e-6, name);
  });
});
