/** `ablate export` on a study of another kind than ours: which stage is meant, and what cannot go out. The real program on real files. */
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { editableStudy } from '../toy/editable.ts';

const study = editableStudy('quick');
const path = (name: string): string => join(study.folder, name);
const exported = (...args: string[]) => study.ablate('export', ...args);
/** What cannot go out is told in words, and leaves no file. */
const failed = async (code: number, ...args: string[]): Promise<string> => {
  const before = readdirSync(study.folder).sort();
  const { exitCode, stderr, stdout } = await exported(...args);
  expect(exitCode, stderr).toBe(code);
  expect(stdout).toBe('');
  expect(stderr).not.toMatch(/^ +at /m);
  expect(stderr).not.toContain('unexpected');
  expect(readdirSync(study.folder).sort()).toEqual(before);
  return stderr;
};
const refused = (...args: string[]): Promise<string> => failed(2, ...args);
const tree = (name: string) => JSON.parse(readFileSync(path(name), 'utf8')) as Record<string, unknown>;

interface Stage {
  readonly role: string;
  readonly key: string;
}
const keyOf = async (arm: string, role: string): Promise<string> => {
  const { stdout } = await study.ablate('explain', arm, '--json');
  return (JSON.parse(stdout) as { replicates: [{ stages: Stage[] }] }).replicates[0].stages.find(stage => stage.role === role)!.key;
};

describe('before there is a store', () => {
  it('says which command makes it', async () => {
    expect(await failed(1, 'cut/half', '--to', 'nursery')).toContain("run 'ablate sweep' first");
  });
});

describe('in a store', () => {
  beforeAll(async () => {
    const { exitCode, all } = await study.ablate('sweep', '--no-report', '--devices', 'inline', '--only', 'cut/half,trouble/fail-permanently');
    expect(exitCode, all).toBe(1); // of trouble
  });

  it('an arm: its last stage that can go out, with where it comes from in the file, and the code that takes it on standard output', async () => {
    const { exitCode, stdout, stderr } = await exported('cut/half', '--to', 'nursery');
    expect(exitCode, stderr).toBe(0);
    const key = await keyOf('cut/half', 'tree');
    expect(stdout).toBe("plant('cut-half-tree-0-nursery.json')");
    expect(stderr).toMatch(/Wrote cut-half-tree-0-nursery\.json \(\d+ B\): tree of cut\/half, seed 0 [0-9a-f]{12}, for nursery\.\n- Water it in the nursery\./);
    expect(tree('cut-half-tree-0-nursery.json')).toMatchObject({ stage: key, kind: 'graft', seed: '0', name: 'tree of cut/half, seed 0', study: 'toy', recipe: { cut: 0.5 } });
  });

  it('another of its stages, by role or by the start of its key, which come to the same', async () => {
    const key = await keyOf('cut/half', 'stock');
    expect((await exported('cut/half', '--to', 'garden', '--role', 'stock', '--out', 'by-role.txt')).exitCode).toBe(0);
    const byKey = await exported(key.slice(0, 8), '--to', 'garden', '--out', 'by-key.txt');
    expect(byKey.exitCode, byKey.stderr).toBe(0);
    expect(tree('by-key.txt')).toMatchObject({ stage: key, kind: 'seedling' });
    expect({ ...tree('by-key.txt'), name: '' }).toEqual({ ...tree('by-role.txt'), name: '' });
    expect((await exported(key, '--to', 'garden')).stdout).toBe(`plant('seedling-${key.slice(0, 12)}-garden.txt')`);
  });

  it('of several seeds the first that is done, or the one that is chosen', async () => {
    const { stderr } = await exported('cut/half', '--to', 'garden', '--seeds', '7,0', '--out', 'seed.txt');
    expect(stderr).toContain('tree of cut/half, seed 0 ');
    expect(await refused('cut/half', '--to', 'garden', '--seeds', '7')).toContain('Expected tree of cut/half, seed 7 to be done, got one that was never run; run ablate sweep --only cut/half');
  });

  it.each([
    ['no format', ['cut/half'], "required option '--to <format>' not specified"],
    ['another format', ['cut/half', '--to', 'nursary'], "--to: expected nursery or garden, got 'nursary'; did you mean 'nursery'?"],
    ['an inherited name', ['cut/half', '--to', 'constructor'], "--to: expected nursery or garden, got 'constructor'"],
    ['a role that leaves nothing', ['cut/half', '--to', 'nursery', '--role', 'weigh'], "Expected a role of cut/half that can be exported (stock, tree), got 'weigh'"],
    ['no such arm', ['cut/halve', '--to', 'nursery'], "did you mean 'cut/half'?"],
    ['no such key', ['00000000', '--to', 'nursery'], "got '00000000', which none has"],
    ['a key too short', ['ab', '--to', 'nursery'], 'Expected at least 4 characters'],
    ['an arm that never ran', ['cut/none', '--to', 'nursery'], 'Expected tree of cut/none, seed 0 to be done, got one that was never run; run ablate sweep --only cut/none'],
    [
      'an arm that failed',
      ['trouble/fail-permanently', '--to', 'nursery'],
      /to be done, got one that failed \(attempt 1, [A-Z_]+\); ablate logs [0-9a-f]{12} says why, then run ablate sweep --only trouble\/fail-permanently/,
    ],
    ['an empty path', ['cut/half', '--to', 'nursery', '--out', ''], '--out: expected a path of this machine'],
    ['a folder that is not there', ['cut/half', '--to', 'nursery', '--out', 'no/where.json'], '--out: expected a folder'],
    ['a file in the place of a folder', ['cut/half', '--to', 'nursery', '--out', 'package.json/tree.json'], '--out: expected a folder'],
    ['a name too long', ['cut/half', '--to', 'nursery', '--out', 'x'.repeat(300)], '--out: expected a folder with room'],
    ['a file in the store', ['cut/half', '--to', 'nursery', '--out', 'store/stages/tree.json'], '--out: expected a file outside of the store'],
    ['a role of a key', ['00000000', '--to', 'nursery', '--role', 'tree'], "--role: expected an arm, of whose stages one is meant, got the key '00000000'"],
    ['another study', ['cut/half', '--to', 'nursery', '--experiments', 'nowhere'], 'Expected study.ts'],
  ] as const)('%s is refused with the way to mend it', async (_, args, message) => {
    expect(await refused(...args)).toMatch(message instanceof RegExp ? message : new RegExp(message.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')));
  });

  it('a stage of a kind that leaves nothing: the input that does is named, and can be exported so', async () => {
    const key = await keyOf('cut/half', 'weigh');
    const told = await refused(key, '--to', 'nursery');
    expect(told).toContain(
      `Expected a stage that leaves what can be exported (seedling, graft), got stage ${key.slice(0, 12)} (weigh of cut/half seed 0) of kind weigh; its input does: ablate export `,
    );
    const [, input] = /ablate export ([0-9a-f]{12}) --to nursery/.exec(told)!;
    expect((await exported(input!, '--to', 'nursery', '--out', 'input.json')).exitCode).toBe(0);
    expect(tree('input.json')['stage']).toBe(await keyOf('cut/half', 'tree'));
  });

  it('overwrites nothing, neither a file nor what a link leads to', async () => {
    writeFileSync(path('precious.json'), 'precious');
    mkdirSync(path('folder'));
    symlinkSync('elsewhere', path('dangling'));
    for (const out of ['precious.json', 'folder', 'dangling'])
      expect(await refused('cut/half', '--to', 'nursery', '--out', out)).toContain(`--out: expected a file that is not there yet, got ${out}; remove it, or name another`);
    expect(readFileSync(path('precious.json'), 'utf8')).toBe('precious');
    expect(existsSync(path('elsewhere'))).toBe(false);
  });

  it('files that changed since they were written do not go out, even where their size is the same', async () => {
    const key = await keyOf('cut/half', 'tree');
    const file = path(`store/stages/${key}/attempts/1/output/tree.json`);
    const before = readFileSync(file, 'utf8');
    writeFileSync(
      file,
      before.replace(/\d(?=\D*$)/, digit => String((Number(digit) + 1) % 10)),
    );
    expect(await failed(1, 'cut/half', '--to', 'nursery', '--out', 'changed.json')).toMatch(
      /Expected the files of tree of cut\/half, seed 0 as they were written, got .*output\/tree\.json does not match its checksum; copy it anew/,
    );
    writeFileSync(file, before);
    expect((await exported('cut/half', '--to', 'nursery', '--out', 'changed.json')).exitCode).toBe(0);
  });

  it('a recipe that its kind takes no more is told, and a kind that the study does not have', async () => {
    const key = await keyOf('cut/half', 'tree');
    study.edit('kinds/graft.ts', '  cut: z.number(),', '  cut: z.number(), depth: z.number(),');
    expect(await refused(key, '--to', 'nursery', '--out', 'old.json')).toMatch(
      /Expected a recipe that kind 'graft' takes today, got that of stage [0-9a-f]{12} .*depth.*; export it with the version that ran it/s,
    );
    study.edit('kinds/graft.ts', ' depth: z.number(),', '');
    study.edit('kinds/graft.ts', "name: 'graft'", "name: 'scion'");
    study.edit('experiments/study.ts', "kind: 'graft'", "kind: 'scion'");
    study.edit('kinds/weigh.ts', "'graft'", "'scion'");
    study.edit('kinds/graft.ts', "kinds: ['seedling', 'graft']", "kinds: ['seedling', 'scion']");
    expect(await refused(key, '--to', 'nursery', '--out', 'old.json')).toMatch(
      /Expected a stage of study 'toy', got stage [0-9a-f]{12} .*, whose kind 'graft' it does not have; name the folder of its declarations: --experiments <folder>/,
    );
  });
});
