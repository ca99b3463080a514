/** The examples that stand at the names of the package, taken from their comments: together they are a study, which is type-checked, swept and read. */
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa, execaNode } from 'execa';
import ts from 'typescript';
import { beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../src/core/inspect/open-store.ts';
import type { StoredComparison, StoredVerdict } from '../../src/core/inspect/stored-verdict.ts';
import { ALLOW_TYPESCRIPT } from '../helpers/typescript.ts';
import { command } from '../toy/commands.ts';
import { temporaryFolder } from '../toy/sweep.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What a study needs, and by which file each is told. */
const NAMES = ['defineAblation', 'defineProfile', 'defineStudy', 'stageKind', 'commandStage', 'openStore'];

interface Example {
  readonly name: string;
  /** Content by file, as the first line of each block says. */
  readonly files: ReadonlyMap<string, string>;
  /** What stands above it. */
  readonly about: string;
}

/** As an editor shows them: from the symbols that the package exports. */
function examples(): Example[] {
  const program = ts.createProgram([join(ROOT, 'src/index.ts')], {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2023,
    allowImportingTsExtensions: true,
    noEmit: true,
  });
  const checker = program.getTypeChecker();
  const entry = checker.getSymbolAtLocation(program.getSourceFile(join(ROOT, 'src/index.ts'))!)!;
  const exported = checker.getExportsOfModule(entry);
  return NAMES.map(name => {
    const symbol = exported.find(one => one.name === name);
    if (symbol === undefined) throw new Error(`Expected the package to export ${name}`);
    const original = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    const tags = original.getJsDocTags(checker).filter(tag => tag.name === 'example');
    const text = tags.map(tag => ts.displayPartsToString(tag.text)).join('\n');
    const blocks = [...text.matchAll(/```(?:ts|js)\n\/\/ (\S+)\n([^]*?)```/g)].map(([, file, code]): [string, string] => [file!, code!]);
    return { name, files: new Map(blocks), about: ts.displayPartsToString(original.getDocumentationComment(checker)) };
  });
}

describe('what a study needs of the package', () => {
  const folder = temporaryFolder('examples');
  const found = examples();
  const cache = temporaryFolder('cache');
  const ablate = (...args: string[]) =>
    command([...args, '--experiments', folder, '--store', join(folder, 'runs')], { cwd: folder, env: { TINYMIM_CACHE: cache, TINYMIM_DEVICE: 'cpu', ENGINE: 'native' } });

  beforeAll(() => {
    for (const [file, code] of found.flatMap(({ files }) => [...files])) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), code);
    }
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(ROOT, join(folder, 'node_modules/tinymim-ablations'));
    writeFileSync(
      join(folder, 'tsconfig.json'),
      readFileSync(join(ROOT, 'src/cli/init/common/tsconfig.json'), 'utf8').replace(
        '"include": ["study.ts", "ablations", "profiles"]',
        '"include": ["read.ts", "study.ts", "ablations", "profiles", "kinds"]',
      ),
    );
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  });

  it.each(found)('$name is told of, with an example', ({ about, files }) => {
    expect(about.length).toBeGreaterThan(40);
    expect(files.size).toBeGreaterThan(0);
  });

  it('has examples that are typed', async () => {
    expect((await execa(join(ROOT, 'node_modules/.bin/tsc'), ['-p', '.'], { cwd: folder, reject: false })).stdout).toBe('');
  });

  it('has examples that are a study together: swept, reported, and read as plain data', async () => {
    const { exitCode, all } = await ablate('sweep', '--devices', 'cpu:2x1');
    expect(exitCode, all).toBe(0);
    expect(readFileSync(join(folder, 'reports/few/README.md'), 'utf8')).toContain('**The one hypothesis is supported: “A bent coin shows heads more often”.**');

    const { stdout } = await execaNode(join(folder, 'read.ts'), { cwd: folder, nodeOptions: ['--import', ALLOW_TYPESCRIPT] });
    const lines = stdout.split('\n');
    expect(lines.pop()).toBe('A bent coin shows heads more often. reproduced');
    expect(lines).toHaveLength(6);
    for (const line of lines) expect(line).toMatch(/^coins\/(?:fair|bent) seed [012]: 0\.\d+ after 200 points$/);

    const store = openStore(join(folder, 'runs'));
    const arms = store.arms({ arm: 'bent', seed: 1 });
    expect(arms).toHaveLength(1);
    const { stages, ...arm } = arms[0]!;
    expect(arm).toEqual({ study: 'Coins', profile: 'few', overrides: [], ablation: 'coins', arm: 'bent', seed: 1 });
    expect(Object.keys(stages).sort()).toEqual(['coin', 'toss']);
    const { toss, coin } = stages;
    expect(toss).toMatchObject({ kind: 'toss', seed: 1, recipe: { tosses: 200 }, upstream: { coin: coin!.key }, state: 'done' });
    expect(toss!.result!['heads']).toBe(store.curve(toss!.key).at(-1)!['heads']);
    expect(existsSync(join(coin!.output!, 'coin.json'))).toBe(true);
    expect(store.stage(toss!.key)).toEqual(toss);
    expect(store.keys()).toHaveLength(8);
    expect(store.items(toss!.key)).toBeUndefined();
    expect(store.provenance(toss!.key)).toMatchObject({ place: expect.any(String) as string });
    expect(JSON.parse(JSON.stringify(arms))).toEqual(arms);

    const verdicts = await store.verdicts({ profile: 'few', experiments: folder });
    expect(verdicts).toHaveLength(1);
    const [{ comparisons, ...verdict }] = verdicts as [StoredVerdict];
    expect(verdict).toMatchObject({ ablation: 'coins', verdict: 'reproduced', seeds: { n: 3, declared: 3 } });
    const heads = (of: string, seed: number): number => Number(store.arms({ arm: of, seed })[0]!.stages['toss']!.result!['heads']);
    const [{ arm: first, than, perSeed, difference }] = comparisons as [StoredComparison];
    expect({ first, than }).toEqual({ first: 'coins/bent', than: 'coins/fair' });
    expect(perSeed.map(({ seed }) => seed)).toEqual([0, 1, 2]);
    for (const { seed, difference: of } of perSeed) expect(of).toBeCloseTo(heads('bent', seed) - heads('fair', seed), 12);
    expect(difference).toBeCloseTo(perSeed.reduce((sum, { difference: of }) => sum + of, 0) / 3, 12);
    expect(JSON.parse(JSON.stringify(verdicts))).toEqual(verdicts);
    await expect(store.verdicts({ profile: 'fw', experiments: folder })).rejects.toThrow(/few/);
  });

  it('cannot read what is no store', () => {
    expect(() => openStore(join(folder, 'nothing'))).toThrow(/^Expected a store at .*nothing, got no such folder; run 'ablate sweep' first/);
  });
});
