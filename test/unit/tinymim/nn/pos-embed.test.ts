import { describe, expect, it } from 'vitest';
import { interpolatePosEmbed, sincosPosEmbed } from '../../../../src/tinymim/nn/pos-embed.ts';

const row = (table: Float32Array, dim: number, index: number) => [...table.subarray(index * dim, (index + 1) * dim)];

describe('sincosPosEmbed on a grid that is not square', () => {
  const dim = 8,
    rows = 2,
    columns = 3;
  const table = sincosPosEmbed(dim, [rows, columns]);
  const at = (r: number, c: number) => row(table, dim, 1 + r * columns + c);

  it('has a zero row for the class token', () => expect(row(table, dim, 0)).toEqual(Array(dim).fill(0)));

  it('encodes the column in the first half of the channels and the row in the second', () => {
    for (let c = 0; c < columns; c++) expect(at(0, c).slice(0, 4)).toEqual(at(1, c).slice(0, 4));
    for (let r = 0; r < rows; r++) expect(at(r, 0).slice(4)).toEqual(at(r, 2).slice(4));
    expect(at(1, 2).slice(0, 4)).toEqual([Math.sin(2), Math.sin(0.02), Math.cos(2), Math.cos(0.02)].map(Math.fround));
    expect(at(1, 2).slice(4)).toEqual([Math.sin(1), Math.sin(0.01), Math.cos(1), Math.cos(0.01)].map(Math.fround));
  });

  it('refuses a width that 4 does not divide', () => expect(() => sincosPosEmbed(6, [2, 2])).toThrow(/4 divides, got 6/));
});

describe('interpolatePosEmbed', () => {
  it('to the same grid changes nothing', () => {
    const table = sincosPosEmbed(8, [3, 5]);
    expect(interpolatePosEmbed(table, 8, [3, 5], [3, 5])).toEqual(table);
  });

  it('resizes rows and columns on their own', () => {
    const table = sincosPosEmbed(8, [2, 4]);
    const wide = interpolatePosEmbed(table, 8, [2, 4], [2, 6]);
    expect(wide.length).toBe((1 + 12) * 8);
    for (let c = 0; c < 6; c++)
      row(wide, 8, 1 + c)
        .slice(4)
        .forEach((x, i) => expect(x).toBeCloseTo(row(table, 8, 1)[4 + i]!, 6)); // the row's half
  });

  it('refuses a table of another grid', () => {
    expect(() => interpolatePosEmbed(sincosPosEmbed(8, [2, 2]), 8, [2, 3], [4, 4])).toThrow(/56 values for grid 2 x 3 and width 8, got 40/);
  });
});
