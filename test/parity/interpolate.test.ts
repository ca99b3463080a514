import { describe, expect, it } from 'vitest';
import type { Grid } from '../../src/tinymim/nn/config.ts';
import { interpolatePosEmbed } from '../../src/tinymim/nn/pos-embed.ts';
import { toFloat32 } from '../../src/engine/formats/safetensors.ts';
import { expectClose, fixture } from '../helpers/parity/fixtures.ts';
import { VALUE } from '../helpers/parity/model.ts';

describe('interpolatePosEmbed', () => {
  const { tensors } = fixture('interpolate_pos_embed');
  const cases = Object.keys(tensors).flatMap(name => /^(.*)\/input$/.exec(name)?.[1] ?? []);
  const grid = (text: string): Grid => {
    const [rows, columns] = text.split('x').map(Number);
    return [rows!, columns ?? rows!];
  };

  it('has fixtures', () => expect(cases.length).toBeGreaterThan(0));

  it.each(cases)('%s', name => {
    const [, from, to] = /_([\dx]+)to([\dx]+)$/.exec(name)!;
    const input = tensors[`${name}/input`]!,
      output = tensors[`${name}/output`]!;
    const data = interpolatePosEmbed(toFloat32(input), input.shape[2]!, grid(from!), grid(to!));
    expectClose({ shape: [1, data.length / input.shape[2]!, input.shape[2]!], data }, { shape: output.shape, data: toFloat32(output) }, VALUE, name);
  });
});
