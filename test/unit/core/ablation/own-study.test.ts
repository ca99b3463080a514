/** A study of one's own, in a folder outside this repository, by the real command: no fork, no build step, nothing installed. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execaNode } from 'execa';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const repository = fileURLToPath(new URL('../../../..', import.meta.url));
let dir: string;
beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'ablate own study-')));
});
afterEach(() => rmSync(dir, { recursive: true }));

function write(file: string, text: string): void {
  mkdirSync(dirname(join(dir, file)), { recursive: true });
  writeFileSync(join(dir, file), text);
}

interface PlanJson {
  readonly stages: readonly { readonly kind: string; readonly recipe: Record<string, unknown> }[];
  readonly arms: readonly { readonly ablation: string; readonly arm: string }[];
}

async function ablate(...args: string[]): Promise<string> {
  const { stdout } = await execaNode(join(repository, 'src/cli/ablate.mjs'), [...args, '--experiments', '.'], { cwd: dir });
  return stdout;
}
const plan = async (...args: string[]): Promise<PlanJson> => JSON.parse(await ablate('plan', '--json', ...args)) as PlanJson;

describe('with stages of its own', () => {
  beforeEach(() => {
    write(
      'study.js',
      `
      import { defineStudy, z } from 'tinymim-ablations';
      import { flip } from './kinds/flip.js';
      export default defineStudy({
        name: 'coins',
        factors: z.strictObject({ bias: z.number().default(0.5), coin: z.enum(['old', 'new']).default('old') }),
        profile: z.strictObject({ name: z.string(), seeds: z.array(z.int()), flips: z.int() }),
        kinds: [flip],
        realise: (factors, profile, seed) => ({ kind: 'flip', role: 'flip', recipe: { ...factors, flips: profile.flips }, seed, upstream: {} }),
        report: {
          headline: { role: 'flip', metric: 'heads', standardError: 'heads_se' }, columns: [], curves: [], ownRoles: ['flip'],
          notes: () => [], comparable: () => false, facts: () => [],
        },
      });`,
    );
    write(
      'kinds/flip.js',
      `
      import { defineKind, z } from 'tinymim-ablations';
      export const flip = defineKind({
        name: 'flip', revision: 1, upstream: {},
        recipe: z.strictObject({ bias: z.number(), coin: z.string(), flips: z.int() }),
        metrics: { heads: { label: 'heads', unit: 'fraction', better: 'higher', help: 'Share of heads.' } },
        cost: ({ flips }) => ({ labelledImages: flips, unlabelledImages: 0, flops: 0 }),
        load: async () => async ({ recipe }) => ({ heads: recipe.bias, heads_se: 0.1 }),
      });`,
    );
    write('profiles/few.ts', "import { flips } from '../flips.ts';\nexport default { name: 'few', seeds: [0, 1], flips };");
    write('flips.ts', "import { z } from 'tinymim-ablations';\nexport const flips: number = z.int().parse(10);");
    write(
      'ablations/bias.ts',
      `
      import { axesOf, defineAblation } from 'tinymim-ablations';
      interface Factors { bias: number; coin: 'old' | 'new' }
      const { axis, product } = axesOf<Factors>();
      export default defineAblation<Factors>({
        name: 'bias', title: 't', table: 'ours', question: 'q', expected: 'e', base: {}, default: 'fair-old',
        arms: product(
          axis('bias', [{ name: 'fair', label: 'Fair', value: 0.5 }, { name: 'bent', label: 'Bent', value: 0.7 }]),
          axis('coin', [{ name: 'old', label: 'old', value: 'old' }, { name: 'new', label: 'new', value: 'new' }]),
        ),
      });`,
    );
    write(
      'ablations/age.js',
      `
      export default {
        name: 'age', title: 't', table: 'ours', question: 'q', expected: 'e', base: { bias: 0.6 }, default: 'old',
        arms: [{ name: 'old', label: 'Old', factors: {} }, { name: 'new', label: 'New and fair', sameAs: 'bias/fair-new' }],
      };`,
    );
  });

  test.each<[string, string | undefined]>([
    ['no package.json', undefined],
    ['a package.json without type', '{}'],
    ['a package.json of CommonJS', '{ "type": "commonjs" }'],
    ['a package.json of ES modules', '{ "type": "module" }'],
  ])('.js and .ts declarations load, with %s', async (_, manifest) => {
    if (manifest !== undefined) write('package.json', manifest);
    const { arms, stages } = await plan('--profile', 'few', '--set', 'flips=20');
    expect(arms).toHaveLength((4 + 2) * 2);
    expect(stages).toHaveLength((4 + 1) * 2);
    expect(new Set(stages.map(s => s.recipe['flips']))).toEqual(new Set([20]));
  });

  test('its stages run in workers, and errors in declarations are told as ours', async () => {
    expect(await ablate('sweep', '--profile', 'few', '--only', 'age', '--seeds', '0', '--devices', 'cpu:1x1', '--no-report')).toMatch(/2 stages done/);
    write(
      'ablations/age.js',
      `
      import { axesOf } from 'tinymim-ablations';
      const { zip } = axesOf();
      export default { arms: zip([{ name: 'a', label: 'A', factors: {} }], []) };`,
    );
    const { exitCode, stderr } = await execaNode(join(repository, 'src/cli/ablate.mjs'), ['plan', '--profile', 'few', '--experiments', '.'], { cwd: dir, reject: false });
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/ablations\/age\.js: zip: expected axes of equal length, got 1 \('a'\) and 0 \(\)/);
  });
});

describe('with the stages of TinyMIM', () => {
  beforeEach(() => {
    write('study.ts', "export { default } from 'tinymim-ablations/tinymim';");
    write(
      'profiles/mine.ts',
      `
      import mini from 'tinymim-ablations/experiments/profiles/mini';
      import type { ProfileDeclaration } from 'tinymim-ablations/tinymim';
      export default { ...mini, name: 'mine', seeds: [3] } satisfies ProfileDeclaration;`,
    );
    write(
      'ablations/pairs.ts',
      `
      import { defineAblation } from 'tinymim-ablations';
      import type { Factors } from 'tinymim-ablations/tinymim';
      export default defineAblation<Factors>({
        name: 'pairs', title: 't', table: 'ours', question: 'q', expected: 'e', base: { student: 'T', headAlignment: false }, default: 'qk',
        arms: [{ name: 'qk', label: 'Q-K', factors: { relations: ['qk'] } }, { name: 'vv', label: 'V-V', factors: { relations: ['vv'] } }],
      });`,
    );
  });

  test('our name is the package that runs, though none is installed', async () => {
    const { stages } = await plan('--profile', 'mine', '--teacher-seeds');
    const [classifiers, encoders] = [['evaluate', 'finetune'].flatMap(kind => [kind, kind, kind]), ['distill', 'distill', 'pretrain']];
    expect(stages.map(s => s.kind).sort()).toEqual([...classifiers, ...encoders].sort());
  });

  test('nor is it another copy that is', async () => {
    write('node_modules/tinymim-ablations/package.json', '{ "name": "tinymim-ablations", "version": "0.0.1", "main": "index.js" }');
    write('node_modules/tinymim-ablations/index.js', 'throw new Error("another copy was loaded");');
    expect((await plan('--profile', 'mine')).arms.map(({ ablation, arm }) => `${ablation}/${arm}`)).toEqual(['pairs/qk', 'pairs/vv', 'teachers/mae-l']);
  });

  test('what it does not offer is told by its name', async () => {
    write('ablations/pairs.ts', "import { defineAblation } from 'tinymim-ablations/src/core/ablation/define.ts'; export default defineAblation({});");
    const { exitCode, stderr } = await execaNode(join(repository, 'src/cli/ablate.mjs'), ['plan', '--profile', 'mine', '--experiments', '.'], { cwd: dir, reject: false });
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/ablations\/pairs\.ts: could not be loaded: Package subpath '\.\/src\/core\/ablation\/define\.ts' is not defined by "exports"/);
  });
});
