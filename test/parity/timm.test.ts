/** What timm computes with exports of ours (`test/fixtures/timm`, made by the script there) is what we compute, block by block. */
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { readWeights } from '../../src/engine/formats/weights.ts';
import { fromDialect } from '../../src/tinymim/nn/foreign-names.ts';
import { startEngine } from '../helpers/parity/fixtures.ts';
import { TIMM_CASES } from '../helpers/timm/cases.ts';
import { expectAsTimm } from '../helpers/timm/ours.ts';

const FOLDER = join(import.meta.dirname, '../fixtures/timm');

beforeAll(startEngine);

it.each(Object.entries(TIMM_CASES))('%s', (name, { config }) => {
  const { weights, unknown, incomplete } = fromDialect(readWeights(join(FOLDER, `${name}.safetensors`)), 'timm');
  expect([unknown, [...incomplete]]).toEqual([[], []]);
  expectAsTimm(weights, config, readWeights(join(FOLDER, `${name}.values.safetensors`)));
});
