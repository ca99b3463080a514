/** The table of who may import whom: every folder has its row, and what the table forbids is found. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const { MAY_IMPORT } = (await import(pathToFileURL(join(ROOT, '.dependency-cruiser.mjs')).href)) as { MAY_IMPORT: Readonly<Record<string, readonly string[]>> };

const sources = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', 'src', 'experiments'], { cwd: ROOT, encoding: 'utf8' })
  .split('\n')
  .filter(file => /\.(ts|mts|mjs)$/.test(file) && !file.startsWith('src/cli/init/'));

describe('the table', () => {
  it('has a row for every folder with sources, and no other', () => {
    expect(Object.keys(MAY_IMPORT).sort()).toEqual([...new Set(sources.map(file => dirname(file)))].sort());
  });

  it('names folders and files that there are', () => {
    const known = new Set([...Object.keys(MAY_IMPORT), ...sources]);
    const named = Object.values(MAY_IMPORT).flat();
    expect(named).not.toEqual([]);
    expect(named.filter(path => !known.has(path))).toEqual([]);
  });

  it('lets nobody import the command line, and neither core nor engine the study', () => {
    const importers = (of: string): string[] =>
      Object.entries(MAY_IMPORT)
        .filter(([, others]) => others.some(path => path === of || path.startsWith(`${of}/`)))
        .map(([folder]) => folder);
    expect(importers('src/cli').filter(folder => !folder.startsWith('src/cli'))).toEqual([]);
    expect(importers('src/tinymim').filter(folder => /^src\/(core|engine)/.test(folder))).toEqual([]);
    expect(importers('src/engine').filter(folder => folder.startsWith('src/core'))).toEqual([]);
  });
});

describe('what it forbids', () => {
  const folder = mkdtempSync(join(tmpdir(), 'architecture-'));

  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  };
  const violations = (): string[] => {
    const cruise = spawnSync(process.execPath, [join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs'), '--config', '.dependency-cruiser.mjs', '--output-type', 'json', 'src'], {
      cwd: folder,
      encoding: 'utf8',
    });
    const { summary } = JSON.parse(cruise.stdout) as { summary: { violations: { rule: { name: string }; from: string; to: string }[] } };
    return summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`).sort();
  };

  beforeAll(() => {
    cpSync(join(ROOT, '.dependency-cruiser.mjs'), join(folder, '.dependency-cruiser.mjs'));
    cpSync(join(ROOT, 'tsconfig.json'), join(folder, 'tsconfig.json'));
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is found, whether it is a type, loaded later or JavaScript; so is a folder without a row, and a circle', () => {
    write('src/engine/tf.ts', 'export const tf = 1;\nexport type Tensor = number;\n');
    write('src/core/ablation/errors.ts', 'export const wrong = 1;\n');
    write('src/core/plan/right.ts', "export { wrong } from '../ablation/errors.ts';\n");
    write('src/core/plan/type.ts', "import type { Tensor } from '../../engine/tf.ts';\nexport type T = Tensor;\n");
    write('src/core/plan/later.ts', "export const tf = import('../../engine/tf.ts');\n");
    write('src/core/plan/script.mjs', "export * from '../../engine/tf.ts';\n");
    write('src/core/attic/old.ts', "export { wrong } from '../ablation/errors.ts';\n");
    write('src/core/store/one.ts', "import type { Two } from './two.ts';\nexport type One = Two[];\n");
    write('src/core/store/two.ts', "import type { One } from './one.ts';\nexport type Two = One | 1;\n");
    expect(violations()).toEqual([
      'no-circle: src/core/store/one.ts -> src/core/store/two.ts',
      'no-row: src/core/attic/old.ts -> src/core/ablation/errors.ts',
      'src/core/plan: src/core/plan/later.ts -> src/engine/tf.ts',
      'src/core/plan: src/core/plan/script.mjs -> src/engine/tf.ts',
      'src/core/plan: src/core/plan/type.ts -> src/engine/tf.ts',
    ]);
  });
});
