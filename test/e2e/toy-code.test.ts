/** Which code made a number, told by real runs of a study in a git repository of its own, whose files are edited in between. */
import { execFileSync } from 'node:child_process';
import { chownSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseProvenance } from '../../src/core/report/records/provenance.ts';
import { parseRecords } from '../../src/core/report/records/records.ts';
import { command } from '../toy/commands.ts';
import { editableStudy, type EditableStudy } from '../toy/editable.ts';
import { temporaryFolder } from '../toy/sweep.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** As a person with no settings, and in no hook. */
const git = (folder: string, ...args: string[]): string => {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_')));
  return execFileSync('git', ['-C', folder, '-c', 'user.name=t', '-c', 'user.email=t@example.org', '-c', 'safe.directory=*', ...args], { encoding: 'utf8', env }).trim();
};

function repository(study: EditableStudy): string {
  writeFileSync(join(study.folder, '.gitignore'), '/src\n/node_modules\n/package.json\n/store*/\n/cache/\n/reports/\n');
  git(study.folder, 'init', '-q', '-b', 'main');
  git(study.folder, 'add', '-A');
  git(study.folder, 'commit', '-q', '-m', 'declarations');
  return git(study.folder, 'rev-parse', 'HEAD');
}

/** Of each stage of a store. */
function provenances(folder: string): Record<string, unknown>[] {
  return readdirSync(join(folder, 'stages')).map(key => JSON.parse(readFileSync(join(folder, 'stages', key, 'attempts/1/provenance.json'), 'utf8')) as Record<string, unknown>);
}

/** Hashes of the kind's stages in the store. */
const codes = (study: EditableStudy, kind: string): Set<unknown> =>
  new Set(
    readdirSync(join(study.folder, 'store/stages'))
      .filter(key => readFileSync(join(study.folder, 'store/stages', key, 'stage.json'), 'utf8').includes(`"kind": "${kind}"`))
      .map(key => (JSON.parse(readFileSync(join(study.folder, 'store/stages', key, 'attempts/1/provenance.json'), 'utf8')) as { code_hash?: unknown }).code_hash),
  );

const sweep = async (study: EditableStudy, ...args: string[]) => {
  const answer = await study.ablate('sweep', '--devices', 'cpu:1x1', ...args);
  if (answer.exitCode !== 0) throw new Error(answer.all);
  return answer;
};

describe('a study in a repository of its own', () => {
  const study = editableStudy('quick');
  const read = (file: string): string => readFileSync(join(study.folder, 'reports/quick', file), 'utf8');
  let commit: string;

  beforeAll(async () => {
    for (const name of ['trouble', 'side-by-side', 'variety']) rmSync(join(study.folder, `test/toy/experiments/ablations/${name}.ts`));
    commit = repository(study);
    expect((await sweep(study, '--no-report')).stderr).not.toMatch(/code|git/);
  });

  it('has both commits recorded, of the program and its own', () => {
    const program = git(ROOT, 'rev-parse', 'HEAD');
    const found = provenances(join(study.folder, 'store'));
    expect(found.length).toBe(7);
    for (const facts of found) expect(facts).toMatchObject({ commit: program, study: { commit, dirty: false } });
  });

  it('has a hash for each kind, which an edit of anything else leaves as it is', async () => {
    const before = ['seedling', 'graft', 'weigh'].map(kind => [...codes(study, kind)]);
    expect(before).toEqual(Array.from({ length: 3 }, () => [expect.stringMatching(/^[0-9a-f]{32}$/) as string]));
    expect(new Set(before.flat()).size).toBe(3);
    // Documents, a declaration, the study itself, and the ends of lines.
    writeFileSync(join(study.folder, 'README.md'), '# Trees\n');
    study.edit('experiments/ablations/cut.ts', 'A few milliseconds.', 'Some milliseconds.');
    study.edit('experiments/study.ts', 'trees do not grow', 'no tree grows');
    const weigh = join(study.folder, 'test/toy/kinds/weigh.ts');
    writeFileSync(weigh, readFileSync(weigh, 'utf8').replaceAll('\n', '\r\n'));
    await sweep(study, '--seeds', '1', '--no-report');
    expect(['seedling', 'graft', 'weigh'].map(kind => [...codes(study, kind)])).toEqual(before);
    expect(provenances(join(study.folder, 'store')).filter(({ study: of }) => (of as { dirty: boolean }).dirty)).toHaveLength(6);
  });

  it('whose kind was edited, after which one more seed is run: sweep, table, CSV and explain say so and name both', async () => {
    const [before] = codes(study, 'weigh') as Set<string>;
    study.edit('kinds/weigh.ts', '/ 10;', '/ 20;');
    const { stderr } = await sweep(study, '--seeds', '2');
    const [now] = [...(codes(study, 'weigh') as Set<string>)].filter(code => code !== before);
    const [old, short] = [before!.slice(0, 12), now!.slice(0, 12)];
    expect(stderr).toMatch(new RegExp(`warning 1 table of the report mixes numbers of different code.*\n.*cut: weigh: ${old} \\(6 stages\\), ${short} \\(3 stages\\)`));
    expect(read('README.md')).toMatch(new RegExp(`This table mixes numbers of different code of a kind.*: weigh: ${old} \\(6 stages\\), ${short} \\(3 stages\\)`));
    expect(read('README.md')).toContain('§ Measured with different code, whose numbers are averaged: Whole; Half; None.');
    expect(read('tables/cut.tex')).toContain(old);
    expect(read('tables/cut.csv')).toContain(`weigh ${[old, short].sort().join(', ')}`);
    const ofWeigh = parseRecords(read('results.jsonl')).filter(({ kind }) => kind === 'weigh');
    expect(new Set(ofWeigh.map(({ seed, codeHash }) => `${seed} ${codeHash}`))).toEqual(new Set([`0 ${before}`, `1 ${before}`, `2 ${now}`]));
    for (const facts of Object.values(parseProvenance(read('provenance.json')))) expect(facts).toMatchObject({ code_hash: expect.any(String) as string, study: { commit } });
    expect((await study.ablate('report', '--verify', 'store')).exitCode).toBe(0);

    const { stdout } = await study.ablate('explain', 'cut/whole', '--seeds', '0-2');
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain(`mixed code weigh: ${old} for seeds 0 and 1; ${short} (that of today) for seed 2`);
    expect(stdout).not.toMatch(/(?:graft|seedling) was edited|mixed code (?:graft|seedling)/);
    expect((await study.ablate('explain', 'cut/whole')).stdout).toContain(`weigh was edited since: done with code ${old}, now ${short}`);
    const { code } = JSON.parse((await study.ablate('explain', 'cut/whole', '--seeds', '0-2', '--json')).stdout) as { code: { kind: string }[] };
    const made = [
      { code: before, seeds: [0, 1] },
      { code: now, seeds: [2] },
    ];
    expect(code.find(({ kind }) => kind === 'weigh')).toEqual({ kind: 'weigh', now, made });
  });
});

describe('the hash in the key', () => {
  const study = editableStudy('quick');
  const keys = async (): Promise<Record<string, string[]>> => {
    const { stdout } = await study.ablate('plan', '--json', '--only', 'cut', '--seeds', '0');
    const { stages } = JSON.parse(stdout) as { stages: { kind: string; key: string }[] };
    return Object.fromEntries(['seedling', 'graft', 'weigh'].map(kind => [kind, stages.filter(stage => stage.kind === kind).map(({ key }) => key)]));
  };

  it('is there where a kind asks for it: an edit makes another stage, which a sweep runs and explain names', async () => {
    const before = await keys();
    study.edit('kinds/weigh.ts', 'revision: 1,', 'revision: 1,\n  codeInKey: true,');
    const asked = await keys();
    expect(asked).toEqual({ ...before, weigh: expect.not.arrayContaining(before['weigh']!) as string[] });
    expect((await study.ablate('sweep', '--devices', 'cpu:1x1', '--only', 'cut', '--no-report')).all).toContain('stages done');
    expect((await study.ablate('sweep', '--devices', 'cpu:1x1', '--only', 'cut', '--no-report')).all).toContain('Nothing to run');
    study.edit('kinds/weigh.ts', '/ 10;', '/ 20;');
    expect(await keys()).toEqual({ ...asked, weigh: expect.not.arrayContaining(asked['weigh']!) as string[] });
    expect((await study.ablate('explain', 'cut/whole')).stdout).toMatch(/weigh +weigh +[0-9a-f]{12} +stale[^]*codeHash: "[0-9a-f]{32}" -> "[0-9a-f]{32}"/);
    expect((await study.ablate('sweep', '--devices', 'cpu:1x1', '--only', 'cut', '--no-report')).all).toContain('3 stages done');
    study.edit('kinds/weigh.ts', '/ 20;', '/ 10;');
    expect(await keys()).toEqual(asked);
  });
});

describe('git', () => {
  const study = editableStudy('quick');
  const commits: string[] = [];
  const run = (env: Record<string, string>, store: string) =>
    command(['sweep', '--store', store, '--experiments', join(study.folder, 'test/toy/experiments'), '--profile', 'quick', '--only', 'cut/whole', '--no-report', '--devices', 'cpu:1x1'], {
      cwd: study.folder,
      env: { TINYMIM_CACHE: join(study.folder, 'cache'), TINYMIM_DEVICE: 'cpu', ENGINE: 'native', ...env },
    });
  beforeAll(() => {
    commits.push(git(ROOT, 'rev-parse', 'HEAD'), repository(study));
  });

  it('is asked for the repositories of program and study where a hook has set others', async () => {
    const other = temporaryFolder('other');
    cpSync(join(study.folder, '.git'), join(other, '.git'), { recursive: true });
    git(other, 'commit', '-q', '--allow-empty', '-m', 'of another repository');
    const answer = await run({ GIT_DIR: join(other, '.git'), GIT_INDEX_FILE: join(other, '.git/index'), GIT_WORK_TREE: other }, 'store');
    expect([answer.exitCode, answer.stderr]).toEqual([0, expect.not.stringContaining('git')]);
    const found = provenances(join(study.folder, 'store'));
    expect(found.length).toBe(3);
    for (const facts of found) expect(facts).toMatchObject({ commit: commits[0], study: { commit: commits[1], dirty: false } });
  });

  it.skipIf(process.getuid?.() !== 0)('that refuses the files of another owner is told once, with its own mend, and recorded as the reason', async () => {
    const home = join(study.folder, 'cache/home');
    mkdirSync(home, { recursive: true });
    for (const path of [study.folder, join(study.folder, '.git')]) chownSync(path, 12345, 12345);
    const { exitCode, stderr } = await run({ HOME: home, XDG_CONFIG_HOME: home }, 'store2');
    expect(exitCode).toBe(0);
    expect(stderr.match(/dubious ownership/g)).toHaveLength(1);
    expect(stderr).toContain(`To mend it: git config --global --add safe.directory ${study.folder}`);
    const found = provenances(join(study.folder, 'store2'));
    expect(found.length).toBe(3);
    for (const facts of found) expect(facts).toMatchObject({ commit: commits[0], study: { commit: null, dirty: null, commit_unknown: expect.stringContaining('dubious ownership') as string } });
  });
});
