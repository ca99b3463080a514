/** A teacher that lies beside the declarations: trained, exported with its card, named by a profile, and taken up by a sweep that has no other. The real program and real workers. */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStoreReadOnly } from '../../src/core/store/store.ts';
import { readSafetensors, toFloat16, toFloat32 } from '../../src/engine/formats/safetensors.ts';
import { readWeights } from '../../src/engine/formats/weights.ts';
import { command } from '../toy/commands.ts';

const ROOT = join(import.meta.dirname, '../..');
const from = (path: string): string => JSON.stringify(pathToFileURL(join(ROOT, path)).href);

let folder: string, declarations: string, teacher: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ablate-teacher-'));
  declarations = join(folder, 'declarations');
  teacher = join(declarations, 'teachers/mine.safetensors');
  for (const name of ['ablations', 'profiles', 'teachers']) mkdirSync(join(declarations, name), { recursive: true });
  writeFileSync(join(declarations, 'study.ts'), `export { default } from ${from('src/tinymim/study.ts')};\n`);
  writeFileSync(join(declarations, 'ablations/tiny.ts'), `export { default } from ${from('test/e2e/experiments/ablations/tiny.ts')};\n`);
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A profile whose L learns for longer than the others. Modules are loaded once: each has a name of its own. */
function declare(name: string, sha256: string): void {
  const teachers = { L: { path: 'teachers/mine.safetensors', sha256 } };
  writeFileSync(
    join(declarations, `profiles/${name}.ts`),
    `import grid from ${from('test/e2e/experiments/profiles/grid.ts')};
export default { ...grid, name: '${name}', seeds: [5, 6], model: { ...grid.model, sizes: { ...grid.model.sizes, L: { embed_dim: 16, depth: 4, num_heads: 2 } } }, pretrain: { ...grid.pretrain, sizes: { L: { epochs: 2 } } }, teachers: ${JSON.stringify(teachers)} };\n`,
  );
}

const ablate = (...args: string[]) => command(args, { cwd: folder, env: { TINYMIM_CACHE: join(folder, 'cache'), ENGINE: 'wasm' } });
const SELECTION = ['--experiments', 'declarations', '--profile', 'kept'];
/** Before there was a file. */
const OF_TEACHER = ['--experiments', 'declarations', '--profile', 'first', '--only', 'teachers/mae-l', '--set', 'teachers.L=null'];
const sweep = (...more: string[]) => ablate('sweep', '--no-report', '--devices', 'cpu:1x1', ...more);
const exported = (...more: string[]) => ablate('export', 'teachers/mae-l', '--role', 'teacher', '--to', 'teacher', '--card', ...OF_TEACHER, ...more);

interface PlannedJson {
  readonly files: readonly { readonly text: string; readonly instead?: { readonly set: string } }[];
  readonly stages: readonly {
    readonly key: string;
    readonly kind: string;
    readonly seed: number;
    readonly recipe: { readonly schedule?: { readonly epochs: number } };
    readonly fileMissing?: boolean;
  }[];
}
async function plan(...args: string[]): Promise<PlannedJson> {
  const { stdout, stderr } = await ablate('plan', '--json', '--store', 'none', ...args);
  expect(stderr).toBe('');
  return JSON.parse(stdout) as PlannedJson;
}
const pretrainings = ({ stages }: PlannedJson) => stages.filter(({ kind }) => kind === 'pretrain');

interface CardJson {
  readonly file: { readonly name: string; readonly bytes: number; readonly sha256: string };
  readonly stage: { readonly key: string; readonly seed: number; readonly recipe: { readonly schedule: { readonly epochs: number } } };
  readonly measured: { readonly by_seed: Record<string, number>; readonly mean: number };
  readonly remake: readonly string[];
}
const card = (path = teacher.replace('.safetensors', '.json')): CardJson => JSON.parse(readFileSync(path, 'utf8')) as CardJson;

describe('a teacher beside the declarations', () => {
  beforeAll(async () => {
    declare('first', '0'.repeat(64));
    const swept = await sweep(...OF_TEACHER);
    expect(swept.exitCode, swept.all).toBe(0);
    const { exitCode, all, stdout } = await exported('--out', teacher);
    expect(exitCode, all).toBe(0);
    const { sha256 } = card().file;
    expect(stdout).toBe(`{ path: 'teachers/mine.safetensors', sha256: '${sha256}' }`);
    declare('kept', sha256);
  });

  it('is the encoder alone in float16, with a card: recipe, key, seed, accuracy of each seed, the commands that make it again', async () => {
    const { file, stage, measured, remake } = card();
    expect(file).toMatchObject({ name: 'mine.safetensors', bytes: statSync(teacher).size, dtype: 'F16' });
    const { tensors } = readSafetensors(teacher);
    const trained = readWeights(join(openStoreReadOnly(join(folder, 'runs')).output(stage.key)!, 'model.safetensors'));
    expect([...tensors.keys()].sort()).toEqual(Object.keys(trained).filter(name => !/^(?:decoder|mask_token)/.test(name)).sort()); // prettier-ignore
    for (const [name, { dtype, data }] of tensors) expect([dtype, data], name).toEqual(['F16', toFloat16(trained[name]!.data)]);
    expect(stage).toMatchObject({ kind: 'pretrain', seed: 0, recipe: { schedule: { epochs: 2 } } });
    expect(Object.keys(measured.by_seed)).toEqual(['5', '6']);
    expect(measured.mean).toBeCloseTo((measured.by_seed['5']! + measured.by_seed['6']!) / 2, 12);
    expect(remake[0]).toBe('ablate sweep --only teachers/mae-l --profile first --set teachers.L=null');
    expect(readFileSync(teacher.replace('.safetensors', '.json'), 'utf8')).not.toContain(folder);
    // Training it has the key of the card, and sizes of the profile matter to that size alone.
    const [L, B] = [await plan(...SELECTION, '--only', 'teachers/mae-l', '--set', 'teachers.L=null'), await plan(...SELECTION, '--only', 'tiny/mae')].map(pretrainings);
    expect(L!.map(({ key }) => key)).toEqual([stage.key]);
    expect([L, B].map(all => all![0]!.recipe.schedule!.epochs)).toEqual([2, 1]);
  });

  it('needs no import: plan and sweep find it, and what follows gets the numbers in the file', async () => {
    const { files, stages } = await plan(...SELECTION, '--only', 'tiny/relation');
    expect(files.map(({ text }) => text)).toEqual([`teachers/mine.safetensors, the ViT-L teacher: SHA-256 ${card().file.sha256.slice(0, 12)}`]);
    expect(stages.some(({ kind, fileMissing }) => kind === 'pretrain' || fileMissing === true)).toBe(false);
    const swept = await sweep(...SELECTION, '--only', 'teachers/mae-l', '--seeds', '5');
    expect(swept.exitCode, swept.all).toBe(0);
    expect(existsSync(join(folder, 'cache/data/checkpoints'))).toBe(false);
    const [checkpoint] = stages.filter(({ kind }) => kind === 'checkpoint');
    const taken = readWeights(join(openStoreReadOnly(join(folder, 'runs')).output(checkpoint!.key)!, 'model.safetensors'));
    const held = Object.fromEntries([...readSafetensors(teacher).tensors].map(([name, tensor]) => [name, { shape: tensor.shape, data: toFloat32(tensor) }]));
    expect(taken).toEqual(held);
  });

  it('is one teacher: with --teacher-seeds each replicate trains its own, by the recipe of the profile', async () => {
    const { files, stages } = await plan(...SELECTION, '--only', 'tiny/relation', '--teacher-seeds');
    expect(files).toEqual([]);
    expect(pretrainings({ files, stages }).map(({ seed, recipe }) => [seed, recipe.schedule!.epochs])).toEqual([
      [5, 2],
      [6, 2],
    ]);
  });

  it('made anew is held against the card: the same key ends with 0, another with 1', async () => {
    const again = await exported('--out', 'again.safetensors', '--against', 'declarations/teachers/mine.json');
    expect(again.exitCode, again.all).toBe(0);
    const { measured, stage } = card();
    const accuracy = (100 * measured.mean).toFixed(2);
    expect(again.stderr).toContain(`Key ${stage.key.slice(0, 12)}: that of the card.\naccuracy: ${accuracy} (2 seeds, standard deviation `);
    expect(again.stderr).toMatch(/on the card .*; difference 0\.00\./);
    expect(readFileSync(join(folder, 'again.safetensors'))).toEqual(readFileSync(teacher));
    writeFileSync(join(folder, 'another-card.json'), JSON.stringify({ ...card(), stage: { key: 'f'.repeat(32) } }));
    const other = await exported('--out', 'other.safetensors', '--against', 'another-card.json');
    expect(other.stderr).toContain('another than ffffffffffff of the card');
    expect(other.exitCode).toBe(1);
    writeFileSync(join(folder, 'broken.json'), '{"stage": 3}');
    const broken = await exported('--out', 'third.safetensors', '--against', 'broken.json');
    expect(broken.stderr).toContain('--against: expected a card that ablate export --card has written, got ');
    expect([broken.exitCode, existsSync(join(folder, 'third.safetensors'))]).toEqual([2, false]);
  });

  it.each([
    [
      'with other weights',
      (bytes: Buffer) => Buffer.concat([bytes.subarray(0, -1), Buffer.of(bytes.at(-1)! ^ 1)]),
      /expected .*mine\.safetensors to hold the encoder with the SHA-256 [0-9a-f]{64}, got [0-9a-f]{64}; restore the file/,
    ],
    ['cut short', (bytes: Buffer) => bytes.subarray(0, 1000), /mine\.safetensors/],
    ['that is not there', () => undefined, /expected this file in .*declarations, which declares it, got none/],
  ])('%s is refused before anything is spent, and still plans', async (_, damage, message) => {
    const whole = join(folder, 'whole.safetensors');
    copyFileSync(teacher, whole);
    const damaged = damage(readFileSync(teacher));
    if (damaged) writeFileSync(teacher, damaged);
    else rmSync(teacher);
    try {
      const { files, stages } = await plan(...SELECTION, '--only', 'tiny/relation');
      expect(files).toEqual([expect.objectContaining({ text: expect.stringMatching(message) as string, instead: expect.objectContaining({ set: 'teachers.L=null' }) as object })]);
      expect(stages.every(({ fileMissing }) => fileMissing)).toBe(true);
      const { exitCode, stderr } = await sweep(...SELECTION, '--only', 'tiny/relation', '--store', 'none');
      expect(stderr).toMatch(/error Missing: teachers\/mine\.safetensors, the ViT-L teacher: .*\d+ stages cannot run without it\. Training it here instead \(--set teachers\.L=null\)/s);
      expect(stderr).not.toMatch(/^\s+at /m);
      expect([exitCode, existsSync(join(folder, 'none'))]).toEqual([2, false]);
    } finally {
      copyFileSync(whole, teacher);
    }
  });

  it('of another size, or outside of the declarations, is refused', async () => {
    const { files } = await plan(...SELECTION, '--only', 'tiny/relation', '--set', 'model.sizes.L.depth=12');
    expect(files[0]!.text).toMatch(/expected a checkpoint of the profile's ViT-L, got teachers\/mine\.safetensors, which differs in model\.sizes\.L\.depth 12/);
    const outside = await ablate('plan', ...SELECTION, '--set', 'teachers.L.path=../up.safetensors');
    expect(outside.stderr).toContain("expected a path from the folder of the declarations, with '/' and without '..'");
    expect(outside.exitCode).toBe(2);
  });
});
