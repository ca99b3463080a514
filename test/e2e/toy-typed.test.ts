/** What people type, and what lies about in their folders: the real program on the toy study. */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { command } from '../toy/commands.ts';
import { editableStudy } from '../toy/editable.ts';

const study = editableStudy('quick');
const declarations = join(study.folder, 'test/toy/experiments');
const ablation = (name: string): string => join(declarations, 'ablations', name);

interface Planned {
  readonly arms: readonly { readonly ablation: string; readonly arm: string; readonly seed: number }[];
}
const planned = async (...args: string[]): Promise<string[]> => {
  const { exitCode, stdout, all } = await study.ablate('plan', '--json', ...args);
  expect(exitCode, all).toBe(0);
  return (JSON.parse(stdout) as Planned).arms.map(({ ablation: of, arm, seed }) => `${of}/${arm} ${seed}`);
};
/** Bad use is told in words, not by a stack. */
const refused = async (...args: string[]): Promise<string> => {
  const { exitCode, stderr } = await study.ablate('plan', ...args);
  expect(exitCode, stderr).toBe(2);
  expect(stderr).not.toMatch(/^ +at /m);
  return stderr;
};

describe('files beside declarations', () => {
  it('that systems and editors hide, types and tests break no command', async () => {
    const before = await planned();
    for (const folder of ['ablations', 'profiles']) {
      for (const name of ['._cut.ts', '.#slow.ts', 'cut.ts~', '#cut.ts#', 'cut.d.ts', 'cut.test.ts', 'cut.spec.js', '.cut.ts.swp', '.DS_Store'])
        writeFileSync(join(declarations, folder, name), '\u0000\u0005\u0016\u0007 no declaration');
      symlinkSync('ada@host.1234:5', join(declarations, folder, '.#cut.ts'));
      mkdirSync(join(declarations, folder, 'old.ts'));
    }
    expect(await planned()).toEqual(before);
    for (const name of ['status', 'report', 'clean']) expect((await study.ablate(name)).all).not.toContain('could not be loaded');
    expect((await study.ablate('explain', 'cut/half')).exitCode).toBe(0);
    expect(await refused('--only', 'kut')).toContain("no ablation 'kut'; did you mean 'cut'?");
  });
});

describe('selectors', () => {
  it('--seeds adds up and takes ranges', async () => {
    const seeds = ['0', '1', '2', '4'].map(seed => `cut/half ${seed}`);
    expect(await planned('--only', 'cut/half', '--seeds', '1', '--seeds', '2', '--seeds', '0-1,4')).toEqual(['1', '2', '0', '4'].map(seed => `cut/half ${seed}`));
    expect((await planned('--only', 'cut/half', '--seeds', '0-2,4')).sort()).toEqual(seeds);
    expect(await refused('--seeds', '4-0')).toContain("--seeds: expected integers from 0 to 4294967295 and ranges of them (0-4) joined by commas, got '4-0'");
  });

  it('--devices adds up', async () => {
    expect((await study.ablate('plan', '--devices', 'cpu:1x1', '--devices', 'cpu:2x1')).stdout).toContain('on cpu:1x1,cpu:2x1');
  });

  it('--only takes patterns, and what names nothing is told with the nearest', async () => {
    expect(await planned('--only', 'cut/*')).toEqual(await planned('--only', 'cut'));
    expect(await planned('--only', '*/o*', '--only', 'cut/hal?')).toEqual(['cut/half 0', 'variety/oak 0', 'variety/own-root 0']);
    expect(await refused('--only', 'variety/own-rot*')).toContain("--only: ablation 'variety' has no arm 'own-rot*'; did you mean 'own-root'?");
    expect(await refused('--only', '*/own-rot')).toContain("did you mean 'own-root'?");
  });
});

describe('declarations that would be mixed up', () => {
  it('names that want the same file of a report are told by plan, with both', async () => {
    for (const [name, other] of [
      ['claims', 'the report itself'],
      ['cut-curves', "ablation 'cut'"],
      ['recipes', 'the report itself'],
    ] as const) {
      writeFileSync(ablation(`${name}.ts`), readFileSync(ablation('cut.ts'), 'utf8').replace("name: 'cut'", `name: '${name}'`));
      expect(await refused()).toContain(`of ${other} and of ablation '${name}'. Rename ablation '${name}'`);
      rmSync(ablation(`${name}.ts`));
    }
  });

  it('labels of one table that look alike, or cannot be seen', async () => {
    study.edit('experiments/ablations/cut.ts', "label: 'Half'", "label: 'Wh\u043ele'");
    expect(await refused('--only', 'cut')).toContain("cut.ts: arms[1].label: expected a label that a reader can tell from others, got 'Wh\\u{43e}le', which looks like 'Whole' of arms[0].label");
    study.edit('experiments/ablations/cut.ts', "label: 'Wh\u043ele'", "label: '\u200b'");
    expect(await refused('--only', 'cut')).toContain('arms[1].label: expected a text that can be seen');
    study.edit('experiments/ablations/cut.ts', "label: '\u200b'", "label: 'Half'");
  });

  it('None for null', async () => {
    study.edit('experiments/study.ts', '  milliseconds: z.number().min(0).default(0),\n', '  milliseconds: z.number().min(0).default(0),\n  note: z.string().nullable().default(null),\n');
    for (const word of ['None', 'NULL']) expect(await refused('--set', `note=${word}`)).toContain(`--set note=${word}: expected null for none, got the word ${word}; write note=null`);
    expect((await study.ablate('plan', '--set', 'note="None"')).exitCode).toBe(0);
  });
});

describe('Tab in the folder of somebody else', () => {
  const foreign = editableStudy('quick');
  const [cache, marker, file] = ['cache', 'ran', 'file'].map(name => join(foreign.folder, name)) as [string, string, string];
  const run = (line: readonly string[], folder = cache) => command(line, { cwd: join(foreign.folder, 'test/toy/experiments'), env: { TINYMIM_CACHE: folder } });
  const complete = async (...line: string[]): Promise<string[]> => {
    const { stdout, exitCode } = await run(['complete', '--', ...line]);
    expect(exitCode).toBe(0);
    return stdout.split('\n').slice(1);
  };

  it('runs nothing of it: it knows files by their names, and more once a command was run there', async () => {
    foreign.edit('experiments/study.ts', 'export default', `import { writeFileSync } from 'node:fs';\nwriteFileSync(${JSON.stringify(marker)}, '');\nexport default`);
    expect(await complete('explain', 'c')).toEqual(['cut/\t']);
    expect(await complete('plan', '--profile', 'q')).toEqual(['quick\t']);
    for (const line of [
      ['explain', 'cut/'],
      ['plan', '--only', 'cut/'],
      ['plan', '--profile', 'quick', '--set', ''],
    ])
      expect(await complete(...line)).toEqual([]);
    expect(existsSync(marker)).toBe(false);

    const { exitCode, all } = await run(['plan', '--profile', 'quick']);
    expect(exitCode, all).toBe(0);
    rmSync(marker);
    expect(await complete('explain', 'cut/')).toEqual(['cut/whole\tWhole', 'cut/half\tHalf', 'cut/none\tNone']);
    expect(await complete('plan', '--profile', 'quick', '--set', 'st')).toEqual(['steps=\t']);
    expect(existsSync(marker)).toBe(false);
  });

  it('believes no file that another could have written', async () => {
    const kept = readdirSync(cache).find(name => name.startsWith('declarations-'))!;
    const [name = ''] = readdirSync(join(cache, kept));
    chmodSync(join(cache, kept, name), 0o666);
    expect(await complete('explain', 'cut/')).toEqual([]);
    chmodSync(join(cache, kept, name), 0o600);
    expect(await complete('explain', 'cut/')).toHaveLength(3);
    renameSync(join(cache, kept, name), join(foreign.folder, 'elsewhere'));
    symlinkSync(join(foreign.folder, 'elsewhere'), join(cache, kept, name));
    expect(await complete('explain', 'cut/')).toEqual([]);
  });

  it('and a cache that cannot be written fails no command', async () => {
    writeFileSync(file, '');
    for (const line of [
      ['plan', '--profile', 'quick'],
      ['complete', '--', 'explain', 'cut/'],
    ])
      expect((await run(line, file)).exitCode).toBe(0);
  });
});
