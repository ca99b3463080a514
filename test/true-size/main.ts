/**
 * Whether every kind of stage runs at the sizes of the paper: `node --import ./src/start/allow-typescript.mjs test/true-size/main.ts`. With the
 * commands that whoever has ImageNet gives, on a generated folder of its form (1,000 classes) and a ViT-L of random weights that is imported,
 * it trains two steps of two images of 224 x 224 at each stage of three arms, tests on two images, writes the report, and says what each stage
 * took. No number means anything. Needs 11 GB of memory (measured: 10.0, of the ViT-L that is fine-tuned), 8 GB in the folder for temporary files
 * (`TMPDIR`), and seven minutes of a core.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import imagenet1k from '../../experiments/profiles/imagenet1k.ts';
import { heading, textTable } from '../../src/cli/terminal/text.ts';
import { openStoreReadOnly } from '../../src/core/store/store.ts';
import { kinds } from '../../src/tinymim/stages/kinds.ts';
import { writeRandomEncoder } from './teacher.ts';
import { imagenetForm } from '../helpers/imagenet-form.ts';

const ABLATE = fileURLToPath(new URL('../../src/cli/ablate.mjs', import.meta.url));
const IMAGES = 2;
const FORM = { train: 2, val: 1 };
/** With the teachers that they rest on, all kinds of stage: of these the ViT-B is trained here, and not imported. */
const ARMS = ['relation/qk-vv-softmax', 'mae-vs-scratch/mae-b', 'mae-vs-scratch/scratch-b'];

/** Two images are held out of the training images, and all that is measured is measured on them; an epoch has 999 steps. */
const sets = [
  `data.train=${1000 * FORM.train - IMAGES}`,
  `data.validation=${IMAGES}`,
  `data.test=${1000 * FORM.val}`,
  'teachers.B=null',
  'evaluate.split=validation',
  `evaluate.batch_size=${IMAGES}`,
  'finetune.sizes.L.epochs=0.002',
  ...['pretrain', 'distill', 'finetune', 'supervise'].flatMap(stage => [
    `${stage}.schedule.batch_size=${IMAGES}`,
    `${stage}.schedule.accumulation_steps=1`,
    `${stage}.schedule.epochs=0.002`,
    `${stage}.schedule.warmup_epochs=0.001`,
  ]),
];

const home = mkdtempSync(join(tmpdir(), 'true-size-'));
const ablate = async (...args: readonly string[]): Promise<void> => {
  await execa(process.execPath, [ABLATE, ...args], { cwd: home, env: { TINYMIM_CACHE: join(home, 'cache'), ENGINE: 'native', TINYMIM_DEVICE: 'cpu' }, stdio: ['ignore', 'inherit', 'inherit'] });
};

function stageTable(): string {
  const store = openStoreReadOnly(join(home, 'runs'));
  const rows = store.keys().map(key => {
    const { kind, recipe } = store.stage(key)!,
      { wall_seconds: seconds, peak_memory_bytes: bytes } = store.provenance(key) as Record<string, number>;
    const { embed_dim: width, depth } = (recipe['model'] ?? {}) as { embed_dim?: number; depth?: number };
    return [kind, width === undefined ? '' : `width ${width}, depth ${depth}`, `${seconds!.toFixed(0)} s`, `${(bytes! / 1e9).toFixed(1)} GB`];
  });
  return textTable([['stage', 'model', 'time', 'peak memory'], ...rows.sort((a, b) => a.join().localeCompare(b.join()))], [0, 1]);
}

try {
  imagenetForm(join(home, 'imagenet'), FORM);
  writeRandomEncoder(join(home, 'mae_pretrain_vit_large.safetensors'), { ...imagenet1k.model, ...imagenet1k.model.sizes.L });
  await ablate('setup', '--data', `imagenet1k=${join(home, 'imagenet')}`);
  await ablate('import', 'mae_pretrain_vit_large.safetensors', '--as', 'mae-vit-l');
  const devices = `cpu:1x${availableParallelism()}`;
  await ablate('sweep', '--profile', 'imagenet1k', '--only', ARMS.join(), '--devices', devices, '--checkpoint-every', '3600', ...sets.flatMap(set => ['--set', set]));
  const store = openStoreReadOnly(join(home, 'runs'));
  const ran = new Set(store.keys().map(key => store.stage(key)!.kind));
  const missing = kinds.filter(({ name }) => !ran.has(name)).map(({ name }) => name);
  process.stdout.write(`\n${heading('Every kind of stage at the sizes of the paper, two steps of two images')}\n${stageTable()}\n`);
  if (missing.length > 0 || !existsSync(join(home, 'reports'))) throw new Error(`Expected every kind of stage and a report, got none of ${missing.join(', ') || 'the report'}.`);
} finally {
  rmSync(home, { recursive: true, force: true });
}
