/** The files that `ablate export` writes: those of `test/fixtures/timm`, which timm has loaded, to the byte. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PermanentError } from '../../../../src/core/ablation/errors.ts';
import { readSafetensors } from '../../../../src/engine/formats/safetensors.ts';
import { writeWeights, type Weights } from '../../../../src/engine/formats/weights.ts';
import { initEncoder, initMae } from '../../../../src/tinymim/nn/init.ts';
import { exportMae, exportStudent } from '../../../../src/tinymim/stages/export.ts';
import { distillRecipe, pretrainRecipe } from '../../../../src/tinymim/stages/recipes.ts';
import { distillFields } from '../../../helpers/distill-recipe.ts';
import { ORIGIN, TIMM_CASES } from '../../../helpers/timm/cases.ts';

const FIXTURES = join(import.meta.dirname, '../../../fixtures/timm');
let output: string;
beforeEach(() => {
  output = mkdtempSync(join(tmpdir(), 'export-'));
});
afterEach(() => {
  rmSync(output, { recursive: true });
});
const leave = (weights: Weights): void => {
  writeWeights(join(output, 'model.safetensors'), weights);
};
const exported = (): string => join(output, 'exported.safetensors');
const to = (format: string) => ({ format, output, path: exported(), origin: ORIGIN, dataDir: output });

describe('an export', () => {
  it.each(Object.entries(TIMM_CASES))('is the file that timm has loaded: %s', async (name, { weights, write }) => {
    leave(weights());
    await write(to('timm'));
    const [made, kept] = [exported(), join(FIXTURES, `${name}.safetensors`)];
    expect(readSafetensors(made)).toEqual(readSafetensors(kept));
    expect(readFileSync(made).equals(readFileSync(kept))).toBe(true);
  });

  const { model, decoder, ...pretrain } = {
    ...distillFields,
    model: { image_size: [8, 8] as [number, number], patch_size: 2, in_chans: 1, embed_dim: 8, depth: 1, num_heads: 2, mlp_ratio: 2 },
    decoder: { embed_dim: 4, depth: 1, num_heads: 1, mlp_ratio: 2 },
  };
  const { data, images, schedule, optimizer, augment, engine } = pretrain;
  const mae = pretrainRecipe.parse({ data, images, schedule, optimizer, augment, engine, model, decoder, mask_ratio: 0.75, norm_pix_loss: true });

  it('of MAE has its decoder in MAE, and goes without it to timm, which is said', async () => {
    leave(initMae(model, decoder, 1));
    const whole = await exportMae({ ...to('mae'), recipe: mae });
    expect(whole.notes).toHaveLength(1);
    expect(readSafetensors(exported()).metadata).toMatchObject({ library: 'mae', model: 'models_mae.MaskedAutoencoderViT', layer_norm_eps: '0.000001', data: 'Procedural images (seed 1)' });
    expect([...readSafetensors(exported()).tensors.keys()].sort()).toEqual(Object.keys(initMae(model, decoder, 1)).sort());
    rmSync(exported());
    const { notes } = await exportMae({ ...to('timm'), recipe: mae });
    expect(notes[0]).toBe('20 tensors were left out, for which timm has no place: the decoder.');
    expect([...readSafetensors(exported()).tensors.keys()].some(name => /decoder|mask_token/.test(name))).toBe(false);
  });

  it.each([
    ['images that are not square', { model: { ...model, image_size: [8, 4] as [number, number] } }, '--to mae: expected square images, as its class has them, got 8 x 4 pixels.'],
    ['a decoder of another shape', { decoder: { ...decoder, mlp_ratio: 4 } }, '--to mae: expected one mlp_ratio for encoder and decoder, as its class has it, got 2 and 4.'],
  ])('of MAE with %s goes to timm alone, as the class of MAE takes none', async (_, change, message) => {
    const recipe = { ...mae, ...change };
    leave(initMae(recipe.model, recipe.decoder, 1));
    await expect(exportMae({ ...to('mae'), recipe })).rejects.toThrow(message);
    expect(existsSync(exported())).toBe(false);
    expect((await exportMae({ ...to('timm'), recipe })).notes).toHaveLength(2);
  });

  it.each([
    ['distilled', 'one with a distillation token'],
    ['star', 'one with a distillation token'],
  ])('of a classifier with two heads goes to timm alone: %s', async (name, got) => {
    const { weights, write } = TIMM_CASES[name]!;
    leave(weights());
    await expect(async () => write(to('mae'))).rejects.toThrow(`--to mae: expected a classifier with one head on its last norm, as its class has it, got ${got}. It can go to timm.`);
    expect(existsSync(exported())).toBe(false);
  });

  it('says how images are normalised, or that their statistics are not here', async () => {
    leave(initMae(model, decoder, 1));
    const { notes } = await exportMae({ ...to('timm'), recipe: mae });
    const { mean, std } = readSafetensors(exported()).metadata;
    const shown = (text: string | undefined): string => (JSON.parse(text!) as number[]).map(value => value.toFixed(4)).join(', ');
    expect(notes.at(-1)).toBe(`Its images are pixels from 0 to 1, less the mean ${shown(mean)}, over the standard deviation ${shown(std)} of each channel.`);
    rmSync(exported());
    const elsewhere = await exportMae({ ...to('timm'), recipe: { ...mae, data: { name: 'fashion-mnist' } } });
    expect(elsewhere.notes.at(-1)).toContain('which are not here to tell them (Fashion-MNIST)');
    expect(readSafetensors(exported()).metadata).not.toHaveProperty('mean');
  });

  it('of a student says what its distillation left as initialised, and how its last block is split', async () => {
    const student = TIMM_CASES['student']!;
    leave(student.weights());
    const { notes, usage } = await student.write(to('timm'));
    expect(notes[0]).toMatch(/^Its last block was distilled with 4 heads, the others have 2: the code that loads it sets them\./);
    expect(notes[1]).toMatch(/^Of its last block and final norm, proj, norm2, mlp, norm are as initialised/);
    expect(usage).toContain('attn.num_heads, attn.head_dim, attn.scale = 4, 4, 4 ** -0.5');
  });
});

describe('what cannot go out', () => {
  const recipe = distillRecipe.parse(distillFields);
  const refused = async (code: string, message: RegExp): Promise<void> => {
    const before = readdirSync(output);
    const error: unknown = await Promise.resolve()
      .then(() => exportStudent({ ...to('timm'), recipe }))
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(PermanentError);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) as string });
    expect(readdirSync(output)).toEqual(before);
  };

  it('parameters of another model', async () => {
    leave(TIMM_CASES['student']!.weights());
    await refused('WEIGHTS_UNFIT', /model\.safetensors: expected the parameters of the stage's model, got "\S+" of shape \[.*\] where \[.*\] was expected/);
  });

  it('a parameter too many, or one too few', async () => {
    const weights = initEncoder(recipe.model, 0);
    leave({ ...weights, 'fc_norm.bias': weights['norm.bias']! });
    await refused('WEIGHTS_UNFIT', /got "fc_norm\.bias" of shape \[8\] where none was expected/);
    leave(Object.fromEntries(Object.entries(weights).filter(([name]) => name !== 'norm.bias')));
    await refused('WEIGHTS_UNFIT', /got "norm\.bias" of shape none where \[8\] was expected/);
  });

  it('a file that is none', async () => {
    writeFileSync(join(output, 'model.safetensors'), 'not a file of tensors');
    await refused('HEADER_TOO_LARGE', /model\.safetensors: Expected a header of at most/);
  });
});
