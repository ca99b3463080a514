/** A file of PyTorch as the teacher: from `ablate import` to a student, with the real program and real workers. */
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStoreReadOnly } from '../../src/core/store/store.ts';
import { writeSafetensors, type TensorSource } from '../../src/engine/formats/safetensors.ts';
import { readWeights } from '../../src/engine/formats/weights.ts';
import { interpolatePosEmbed } from '../../src/tinymim/nn/pos-embed.ts';
import { encoderSpec } from '../../src/tinymim/nn/spec.ts';
import { encoderOf, tinyMae, TINY_MAE, TINY_MAE_SHA256, TINY_MAE_SIZE } from '../helpers/tiny-mae.ts';
import { fixturePath } from '../helpers/parity/fixtures.ts';
import { command } from '../toy/commands.ts';

const ABLATE = fileURLToPath(new URL('../../src/cli/ablate.mjs', import.meta.url));
const EXPERIMENTS = fileURLToPath(new URL('experiments', import.meta.url));

let folder: string;
let env: Record<string, string>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ablate-import-'));
  env = { TINYMIM_CACHE: join(folder, 'cache'), ENGINE: 'wasm' };
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const ablate = (...args: string[]) => command(args, { cwd: folder, env });
const imported = (name: string) => ablate('import', TINY_MAE, '--as', name);

/** The profile's L in the size of the file, and the file as the teacher. */
const taught = (teacher: string, ...more: string[]): string[] => [
  ...['--experiments', EXPERIMENTS, '--profile', 'grid', '--only', 'tiny/relation', '--devices', 'cpu:1x1'],
  ...['--set', TINY_MAE_SIZE, '--set', `teachers.L=${teacher}`, ...more],
];
const named = (name: string): string => JSON.stringify({ checkpoint: name });

interface PlanJson {
  readonly files: readonly { readonly key: string; readonly text: string; readonly mend?: readonly string[]; readonly instead?: { readonly set: string; readonly cost: { readonly flops: number } } }[];
  readonly stages: readonly { readonly key: string; readonly kind: string; readonly state: string; readonly fileMissing?: boolean }[];
}
async function plan(...args: string[]): Promise<PlanJson> {
  const { stdout, stderr } = await ablate('plan', '--json', ...args);
  expect(stderr).toBe('');
  return JSON.parse(stdout) as PlanJson;
}
const keys = ({ stages }: PlanJson): string[] => stages.map(({ key }) => key);

describe('a teacher from a file', () => {
  it('that is not imported is missed by plan, with its mend and what training it would cost, and refused by sweep before anything is spent', async () => {
    const { files, stages } = await plan(...taught(named('mae-tiny')));
    expect(files).toHaveLength(1);
    expect(files[0]).toMatchObject({ mend: ['ablate', 'import', 'FILE', '--as', 'mae-tiny'], instead: { set: 'teachers.L=null' } });
    expect(stages.map(({ kind, fileMissing }) => [kind, fileMissing])).toEqual([
      ['checkpoint', true],
      ['distill', true],
      ['finetune', true],
      ['evaluate', true],
      // The teacher, fine-tuned.
      ['finetune', true],
      ['evaluate', true],
    ]);
    const trained = await plan(...taught('null'));
    expect(trained.stages[0]!.kind).toBe('pretrain');
    expect(files[0]!.instead!.cost.flops).toBe((trained.stages[0] as unknown as { cost: { flops: number } }).cost.flops);

    const swept = await ablate('sweep', '--no-report', ...taught(named('mae-tiny')));
    expect(swept.exitCode).toBe(2);
    expect(swept.stderr).toMatch(
      /error Missing: mae-tiny, the ViT-L teacher: it is not imported; 6 stages cannot run without it\. To mend it: .*ablate(\.mjs)? import FILE --as mae-tiny\. Training it here instead \(--set teachers\.L=null\): 128 images/,
    );
    expect(existsSync(join(folder, 'runs/sweeps')) || existsSync(join(folder, 'runs/stages'))).toBe(false);
  });

  it('is the released file at the profile of the paper, whose plan names it', async () => {
    const { stdout } = await ablate('plan', '--profile', 'imagenet1k', '--only', 'relation');
    const text = stdout.replaceAll(/\s+/g, ' ');
    expect(text).toMatch(
      /Missing mae-vit-l, the ViT-L teacher: it is not imported; it is the file mae_pretrain_vit_large\.pth \(facebookresearch\/mae.*CC BY-NC.*vit_large_patch16_224\.mae\); \d+ stages cannot run without it/,
    );
    expect(text).toMatch(/import mae_pretrain_vit_large\.pth --as mae-vit-l\. Training it here instead \(--set teachers\.L=null\): 2,044,723,200 images, 255 EFLOP, [\d,]+ A100 GPU-hours/);
    expect(text).not.toContain('mae_pretrain_vit_base.pth --as'); // which these arms do not need
  });

  it('made by PyTorch teaches a student, and the same file under another name, or by its hash alone, is the same teacher', async () => {
    const { stdout, exitCode } = await imported('mae-tiny');
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`SHA-256   ${TINY_MAE_SHA256}`);
    const planned = await ablate('plan', ...taught(named('mae-tiny')));
    expect(planned.stdout.replaceAll(/\s+/g, ' ')).toContain(`mae-tiny, the ViT-L teacher: mae_tiny.pth, SHA-256 ${TINY_MAE_SHA256.slice(0, 12)}; its positions are interpolated from 6 x 6 to 4 x 4`);

    const swept = await execa(process.execPath, [ABLATE, 'sweep', '--no-report', ...taught(named('mae-tiny'))], { reject: false, all: true, cwd: folder, env });
    expect(swept.all).toContain('6 stages done');
    expect(swept.exitCode).toBe(0);

    const done = await plan(...taught(named('mae-tiny')));
    expect(done.stages.map(({ state }) => state)).toEqual(Array(6).fill('done'));
    const store = openStoreReadOnly(join(folder, 'runs'));
    const [teacher, student] = done.stages.slice(0, 2).map(({ key }) => readWeights(join(store.output(key)!, 'model.safetensors')));
    const encoder = encoderOf(tinyMae());
    const table = interpolatePosEmbed(encoder['pos_embed']!.data, 16, [6, 6], [4, 4]);
    expect(teacher).toEqual({ ...encoder, pos_embed: { shape: [1, 17, 16], data: table } });
    expect(Object.keys(student!)).toContain('blocks.1.attn.qkv.weight');
    expect(store.result(done.stages[1]!.key)!['val_loss_ratio']).toBeLessThan(1);
    const log = readFileSync(join(store.attemptDir(done.stages[0]!.key, 1), 'log.txt'), 'utf8');
    expect(log).toContain('Positions of the checkpoint are interpolated from 6 x 6 to 4 x 4.');

    await imported('copy');
    const other = await plan(...taught(named('copy')));
    const pinned = await plan(...taught(JSON.stringify({ checkpoint: 'anything', sha256: TINY_MAE_SHA256 })));
    expect([keys(other), keys(pinned)]).toEqual([keys(done), keys(done)]);
    // On a machine that does not have the file.
    const elsewhere = (...args: string[]) => command(args, { cwd: folder, env: { ...env, TINYMIM_CACHE: join(folder, 'other-cache') } });
    const { stdout: json } = await elsewhere('plan', '--json', '--store', 'none', ...taught(JSON.stringify({ checkpoint: 'anything', sha256: TINY_MAE_SHA256 })));
    const there = JSON.parse(json) as PlanJson;
    expect(keys(there)).toEqual(keys(done));
    expect(there.files[0]!.text).toContain(`expected an encoder with the SHA-256 ${TINY_MAE_SHA256.slice(0, 12)}`);
    const cleaned = await elsewhere('clean', '--experiments', EXPERIMENTS); // which would take all stages for unneeded
    expect(cleaned.stderr).toMatch(/Expected all files that sweeps of this store started from, got none for mae-tiny, the ViT-L teacher.*\n.*import FILE --as mae-tiny/);
    expect(cleaned.exitCode).toBe(1);
    expect((await ablate('clean', '--experiments', EXPERIMENTS)).stdout).toContain('is needed by a declared arm');
  });

  it.each([
    ['of another size', ['--set', 'model.sizes.L.depth=8'], /teachers\.L: expected a checkpoint of the profile's ViT-L, got mae-tiny, which differs in model\.sizes\.L\.depth 8 \(the file has 4\)/],
    ['of other patches', ['--set', 'model.patch_size=8'], /model\.patch_size 8 \(the file has 4\)/],
    ['for each replicate', ['--teacher-seeds'], /expected a seed, as the L teacher is the checkpoint mae-tiny, of which there is one; .*--set teachers\.L=null/],
    ['of a name that no file has', ['--set', 'teachers.L.checkpoint=../up'], /expected lower-case words/],
  ])('%s is refused', async (_, more, message) => {
    await imported('mae-tiny');
    const size = more.includes('model.sizes.L.depth=8') ? [] : ['--set', 'model.sizes.L.depth=4'];
    const name = more.some(arg => arg.startsWith('teachers')) ? [] : ['--set', 'teachers.L.checkpoint=mae-tiny'];
    const { exitCode, stderr } = await ablate('plan', '--experiments', EXPERIMENTS, '--profile', 'grid', '--only', 'tiny/relation', '--set', 'model.sizes.L.embed_dim=16', ...size, ...name, ...more);
    expect(stderr).toMatch(message);
    expect(exitCode).toBe(2);
  });
});

describe('ablate import', () => {
  it('says what it read, and lists every tensor that it leaves out', async () => {
    const { stdout } = await imported('mae-tiny');
    expect(stdout).toMatch(/mae_tiny\.pth is imported as mae-tiny\n {2}Read +PyTorch \(zip\), 74 tensors of F32 in 'model'/);
    expect(stdout).toMatch(/20 tensors left out:\n {4}mask_token\n/);
    expect(stdout).toContain(`{ checkpoint: 'mae-tiny' }`);
  });

  it('never has more of a file in memory than its largest tensors', { tags: 'long' }, async () => {
    const dim = 512,
      depth = 24;
    const file = join(folder, 'large.safetensors');
    const sized = ({ shape }: { readonly shape: readonly number[] }): [number, TensorSource] => {
      const length = shape.reduce((product, size) => product * size, 1);
      return [4 * length, { dtype: 'F32', shape, read: () => ({ dtype: 'F32', shape, data: new Float32Array(length).fill(0.5) }) }];
    };
    const tensors = Object.entries(encoderSpec({ image_size: [224, 224], patch_size: 16, in_chans: 3, embed_dim: dim, depth, num_heads: 8, mlp_ratio: 4 })).map(
      ([name, spec]) => [name, ...sized(spec)] as const,
    );
    writeSafetensors(file, new Map(tensors.map(([name, , tensor]) => [name, tensor])));
    const bytes = tensors.reduce((sum, [, size]) => sum + size, 0);
    expect(bytes).toBeGreaterThan(3e8);
    const peak = async (...args: string[]): Promise<number> => {
      const said = 'data:text/javascript,process.on("exit",()=>console.error("peak",1024*process.resourceUsage().maxRSS))';
      const { exitCode, stderr } = await execa(process.execPath, ['--import', said, ABLATE, ...args], { reject: false, cwd: folder, env });
      expect(exitCode, stderr).toBe(0);
      return Number(/^peak (\d+)$/m.exec(stderr)![1]);
    };
    expect((await peak('import', file, '--as', 'large')) - (await peak('import', TINY_MAE, '--as', 'small'))).toBeLessThan(bytes / 2);
  });

  it.each([
    ['evil_system.pth', /system, which is not made here; nothing was run/],
    ['evil_eval_legacy.pth', /eval, which is not made here; nothing was run/],
    ['bitflip_pickle.pth', /with the CRC-32/],
    ['model_float16_legacy.pth', /missing +norm\.weight\n.*unexpected +extra\.base\n.*Nothing was imported/s],
    ['nowhere.pth', /no such file/],
  ])('refuses %s with 2 and no stack', async (file, message) => {
    const { exitCode, stderr } = await ablate('import', join(fixturePath('checkpoints'), file));
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(exitCode).toBe(2);
  });
});
