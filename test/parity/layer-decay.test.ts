import { expect, it } from 'vitest';
import { finetuneGroups } from '../../src/tinymim/optim/groups.ts';
import { readFixtureJson } from '../helpers/parity/fixtures.ts';

interface Case {
  readonly depth: number;
  readonly layer_decay: number;
  readonly weight_decay: number;
  /** How many different groups the official code forms. */
  readonly groups: number;
  readonly parameters: Readonly<Record<string, readonly [lrScale: number, weightDecay: number]>>;
}
const { cases } = readFixtureJson('layer_decay') as { cases: Readonly<Record<string, Case>> };

/** Only the number of dimensions matters; the fixture names the parameters of a ViT. */
function shapeOf(name: string): readonly number[] {
  if (name === 'cls_token') return [1, 1, 192];
  if (name === 'pos_embed') return [1, 197, 192];
  if (name === 'patch_embed.proj.weight') return [192, 3, 16, 16];
  return name.endsWith('.bias') || name.includes('norm') ? [192] : [192, 192];
}

it.each(Object.entries(cases))('gives every parameter the official rate and decay: %s', (_, c) => {
  const shapes = Object.fromEntries(Object.keys(c.parameters).map(name => [name, { shape: shapeOf(name) }]));
  const groups = finetuneGroups(shapes, { depth: c.depth, weightDecay: c.weight_decay, layerDecay: c.layer_decay });
  expect(Object.keys(groups)).toEqual(Object.keys(c.parameters));
  for (const [name, [lrScale, weightDecay]] of Object.entries(c.parameters)) {
    expect(groups[name]!.lrScale, name).toBeCloseTo(lrScale, 14);
    expect(groups[name]!.weightDecay, name).toBe(weightDecay);
  }
  expect(new Set(Object.values(groups).map(group => JSON.stringify(group))).size).toBe(c.groups);
});
