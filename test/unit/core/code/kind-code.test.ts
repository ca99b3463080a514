import { cpSync, mkdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { declaredInFile, modulesOf } from '../../../../src/core/ablation/declared-in.ts';
import { defineKind } from '../../../../src/core/ablation/define.ts';
import type { StageKind } from '../../../../src/core/ablation/kind.ts';
import { codeOfKind, codeOfKinds, type KindCode } from '../../../../src/core/code/kind-code.ts';
import { kinds } from '../../../../src/tinymim/stages/kinds.ts';
import toyStudy from '../../../toy/experiments/study.ts';
import { weigh } from '../../../toy/kinds/weigh.ts';
import { temporaryFolder } from '../../../toy/sweep.ts';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = realpathSync(temporaryFolder('code'));
  write(folder, files);
  return folder;
}

/** A kind that this file declares, not asked for before. */
function kindIn(folder: string, file = 'kind.ts', name = 'k'): StageKind {
  const kind = { ...weigh, name };
  declaredInFile(kind, join(folder, file));
  return kind;
}

function codeOf(folder: string, file?: string): KindCode {
  const code = codeOfKind(kindIn(folder, file));
  if ('unknown' in code) throw new Error(code.unknown);
  return code;
}

const filesOf = (folder: string): string[] =>
  codeOf(folder)
    .files.map(file => relative(folder, file))
    .sort();

describe('the module of a kind', () => {
  it('is the one that calls defineKind, and those that call it', () => {
    expect(modulesOf(weigh)).toEqual([join(ROOT, 'test/toy/kinds/weigh.ts')]);
    const makeKind = (): StageKind => defineKind({ ...weigh });
    expect(modulesOf(makeKind()).slice(0, 1)).toEqual([fileURLToPath(import.meta.url)]);
  });

  it('of a kind that was copied is the study', () => {
    const copy = { ...weigh };
    expect(modulesOf(copy)).toEqual([]);
    declaredInFile(copy, join(ROOT, 'test/toy/experiments/study.ts'));
    expect(codeOfKind(copy)).toMatchObject({ files: expect.arrayContaining([join(ROOT, 'test/toy/experiments/study.ts'), join(ROOT, 'test/toy/kinds/weigh.ts')]) as string[] });
  });
});

describe('the files that count', () => {
  it('are all that a module imports or names, however it does, and no others', () => {
    const folder = folderWith({
      'kind.ts': `
        import { a } from './static.ts';
        import type { T } from './types.ts';
        import { type U, b } from './some-types.js';
        export { c } from './exported.mjs';
        import data from './data.json' with { type: 'json' };
        import { z } from 'zod';
        import 'node:fs';
        import weights from './weights.bin';
        const worker = new URL('./worker.mjs', import.meta.url);
        const table = new URL("table.csv", import.meta.url), folder = new URL('./folder/', import.meta.url), page = new URL('https://example.org/page.ts', import.meta.url);
        const other = import.meta.resolve('./resolved.ts');
        const missing = new URL('./missing.ts', import.meta.url);
        export const load = async () => (await import('./dynamic.ts')).run;
        export const used = [a, b, data, z, weights, worker, table, folder, page, other, missing];`,
      'static.ts': `import './deep/er.ts';\nexport const a = 1;`,
      'deep/er.ts': `import '../static.ts';`,
      'types.ts': 'export type T = 1;',
      'some-types.ts': 'export type U = 1; export const b = 2;',
      'exported.mjs': 'export const c = 3;',
      'data.json': '{}',
      'weights.bin': '\0\r\n',
      'worker.mjs': `import './of-worker.mjs';`,
      'of-worker.mjs': '',
      'table.csv': 'a,b\r\n',
      'folder/file.ts': '',
      'resolved.ts': '',
      'dynamic.ts': 'export const run = 1;',
      'unused.ts': '',
      'README.md': '',
      'ablations/a.ts': '',
    });
    expect(filesOf(folder)).toEqual([
      'data.json',
      'deep/er.ts',
      'dynamic.ts',
      'exported.mjs',
      'kind.ts',
      'of-worker.mjs',
      'resolved.ts',
      'some-types.ts',
      'static.ts',
      'table.csv',
      'weights.bin',
      'worker.mjs',
    ]);
  });

  it('are not those of packages, but of one in the same repository, and by the paths of its tsconfig.json', () => {
    const folder = folderWith({
      'kind.ts': `import 'theirs'; import 'ours'; import '~/mapped.ts'; import '#inner';`,
      'package.json': '{ "name": "study", "imports": { "#inner": "./inner.ts" } }',
      'tsconfig.json': '{ "compilerOptions": { "paths": { "~/*": ["./lib/*"] } } }',
      'lib/mapped.ts': '',
      'inner.ts': '',
      'node_modules/theirs/package.json': '{ "main": "index.js" }',
      'node_modules/theirs/index.js': '',
      'packages/ours/package.json': '{ "name": "ours", "exports": "./index.ts" }',
      'packages/ours/index.ts': '',
    });
    symlinkSync('../packages/ours', join(folder, 'node_modules/ours'));
    expect(filesOf(folder)).toEqual(['inner.ts', 'kind.ts', 'lib/mapped.ts', 'packages/ours/index.ts']);
  });

  it('are not those of this program, but for kinds of its own', () => {
    const folder = folderWith({ 'kind.ts': `import { defineKind } from '${ROOT}src/core/ablation/define.ts'; export default defineKind;` });
    expect(filesOf(folder)).toEqual(['kind.ts']);
    expect(codeOfKind(weigh)).toMatchObject({ files: ['weigh.ts', 'grow.ts'].map(name => join(ROOT, 'test/toy/kinds', name)) });
    const [code] = codeOfKinds(kinds).values();
    const own = (code as KindCode).files.map(file => relative(ROOT, file));
    expect(own[0]).toBe('src/tinymim/stages/kinds.ts');
    expect(own).toEqual(expect.arrayContaining(['src/tinymim/stages/distill.ts', 'src/tinymim/nn/vit.ts', 'src/engine/grad/gelu.ts', 'src/tinymim/data/loader-thread.mjs']));
    expect(own.filter(file => !/^src\/(?:tinymim|engine|core\/ablation|start|installation)/.test(file))).toEqual([]);
  });
});

describe('the hash', () => {
  const FILES = { 'kinds/kind.ts': `import '../lib/other.ts';\nexport const a = 1;\n`, 'lib/other.ts': 'export const b = 2;\n// a line\n' };
  const hashOf = (folder: string): string => codeOf(folder, 'kinds/kind.ts').hash;

  it('is of contents and of where files stand to each other: no matter where the checkout is and how lines end', () => {
    const folder = folderWith(FILES);
    const hash = hashOf(folder);
    const copy = join(temporaryFolder('code'), 'of another/name');
    cpSync(folder, copy, { recursive: true });
    expect(hashOf(copy)).toBe(hash);
    for (const [name, text] of Object.entries(FILES)) writeFileSync(join(copy, name), text.replaceAll('\n', '\r\n'));
    expect(hashOf(copy)).toBe(hash);
    write(copy, { 'README.md': 'text', 'lib/third.ts': '', 'package.json': '{}' });
    expect(hashOf(copy)).toBe(hash);
    write(copy, { 'kinds/kind.ts': FILES['lib/other.ts'], 'lib/other.ts': FILES['kinds/kind.ts'].replace('../lib/other', '../kinds/none') });
    expect(hashOf(copy)).not.toBe(hash);
  });

  it('changes with each file that is reached, and with no other', () => {
    const imports = fc.array(fc.uniqueArray(fc.nat(5), { maxLength: 3 }), { minLength: 6, maxLength: 6 });
    fc.assert(
      fc.property(imports, fc.nat(5), (edges, edited) => {
        const folder = folderWith(Object.fromEntries(edges.map((to, i) => [`m${i}.ts`, to.map((j, n) => (n === 0 ? `import './m${j}.ts';\n` : `void import('./m${j}.ts');\n`)).join('')])));
        const reached = new Set([0]);
        for (const i of reached) for (const j of edges[i]!) reached.add(j);
        const before = codeOf(folder, 'm0.ts');
        expect(before.files.length).toBe(reached.size);
        writeFileSync(join(folder, `m${edited}.ts`), `${readFileSync(join(folder, `m${edited}.ts`), 'utf8')}// edited\n`);
        expect(codeOf(folder, 'm0.ts').hash === before.hash).toBe(!reached.has(edited));
        rmSync(folder, { recursive: true });
      }),
      { numRuns: 15 },
    );
  });

  it('of another process is taken where the files are still the same, and else found anew', () => {
    const folder = folderWith(FILES);
    const found = codeOf(folder, 'kinds/kind.ts');
    const said = { ...found, files: [...found.files] };
    expect(codeOfKind(kindIn(folder, 'kinds/kind.ts'), said)).toBe(said);
    writeFileSync(join(folder, 'lib/other.ts'), `export const b = 3; import './third.ts';`);
    writeFileSync(join(folder, 'lib/third.ts'), '');
    const now = codeOfKind(kindIn(folder, 'kinds/kind.ts'), said) as KindCode;
    expect(now.files.length).toBe(3);
    expect(now.hash).not.toBe(said.hash);
    expect(codeOfKind(kindIn(folder, 'kinds/kind.ts'), { ...said, files: ['/nowhere'] })).toEqual(now);
  });

  it('is what a process found first: what it has loaded stays what it is', () => {
    const folder = folderWith(FILES);
    const kind = kindIn(folder, 'kinds/kind.ts');
    const before = codeOfKind(kind);
    writeFileSync(join(folder, 'lib/other.ts'), '');
    expect(codeOfKind(kind)).toBe(before);
  });

  it('is unknown, with the reason, for the one kind that imports what is not there', () => {
    const folder = folderWith({ 'whole.ts': '', 'broken.ts': `import './nowhere.ts';` });
    const codes = codeOfKinds([kindIn(folder, 'whole.ts', 'whole'), kindIn(folder, 'broken.ts', 'broken')]);
    expect(codes.get('whole')).toMatchObject({ hash: expect.any(String) as string });
    expect(codes.get('broken')).toEqual({ unknown: expect.stringContaining('Could not resolve "./nowhere.ts"') as string });
  });

  it('differs between the kinds of the toy study', () => {
    expect(new Set([...codeOfKinds(toyStudy.kinds).values()].map(code => (code as KindCode).hash)).size).toBe(3);
  });
});
