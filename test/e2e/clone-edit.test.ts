/** What the project is for: a clone edits one factor of one ablation, sweeps, and a reviewer is told exactly that change and nothing else. */
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, describe, expect, it } from 'vitest';
import { parseRecords, type ReportRecord } from '../../src/core/report/records/records.ts';
import { formatValue } from '../../src/core/text/format.ts';
import { parseMarkup } from '../helpers/report/dom.ts';
import { command } from '../toy/commands.ts';
import { temporaryFolder } from '../toy/sweep.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** What the bot makes of a text before it posts it; plain JavaScript. */
const { harmless } = (await import(join(ROOT, '.github/scripts/foreign-text.mjs'))) as { harmless: (text: string, prefixes: readonly string[]) => string };
/** As on GitHub: the files of the very commit. */
const URL_OF_COMMIT = 'https://github.com/fork/study/blob/0123abc';

interface Walk {
  /** Parts of this repository that the study's repository holds. */
  readonly parts: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
  readonly experiments: string;
  readonly profile: string;
  /** What upstream has run, and what the clone runs. */
  readonly swept: readonly [upstream: string, clone: string];
  readonly edit: { readonly file: string; readonly from: string; readonly to: string };
  /** As it is named after the edit. */
  readonly arm: { readonly name: string; readonly label: string };
  /** What the first line says of verdicts, with a space behind it. */
  readonly verdicts: string;
  readonly metric: string;
}

const folder = temporaryFolder('clone');
afterAll(() => rmSync(folder, { recursive: true }));

const git = async (cwd: string, ...args: string[]): Promise<string> => (await execa('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], { cwd })).stdout;

/** The program, its packages and their names come from this checkout; what a study's repository holds is copied. */
function link(to: string): void {
  for (const part of ['src', 'node_modules', 'package.json']) symlinkSync(join(ROOT, part), join(to, part));
}

async function upstream({ parts, files = {} }: Walk, to: string): Promise<void> {
  for (const part of parts) cpSync(join(ROOT, part), join(to, part), { recursive: true });
  const others = { '.gitignore': '/src\n/node_modules\n/package.json\n/runs/\n/review/\n', '.gitattributes': readFileSync(join(ROOT, 'src/cli/init/common/gitattributes'), 'utf8') };
  for (const [file, text] of Object.entries({ ...others, ...files })) {
    mkdirSync(dirname(join(to, file)), { recursive: true });
    writeFileSync(join(to, file), text);
  }
  link(to);
  await git(to, 'init', '-q', '-b', 'main');
}

async function commit(cwd: string, message: string): Promise<void> {
  await git(cwd, 'add', '-A');
  await git(cwd, 'commit', '-q', '-m', message);
}

async function ablate(walk: Walk, cwd: string, ...args: string[]): Promise<string> {
  const { exitCode, all, stdout } = await command([...args, '--experiments', walk.experiments], { cwd, env: { ENGINE: 'wasm', TINYMIM_DEVICE: 'cpu' } });
  if (exitCode !== 0) throw new Error(all);
  return stdout;
}

const sweep = (walk: Walk, cwd: string, only: string): Promise<string> => ablate(walk, cwd, 'sweep', '--profile', walk.profile, '--only', only, '--devices', 'inline');

/** From a repository to the comment and the page of a pull request of its clone. */
async function walkThrough(walk: Walk) {
  const [origin, clone] = ['origin', 'clone'].map(name => join(folder, walk.profile, name)) as [string, string];
  const report = `reports/${walk.profile}`;
  await upstream(walk, origin);
  await sweep(walk, origin, walk.swept[0]);
  await commit(origin, 'first report');

  await git(folder, 'clone', '-q', origin, clone);
  link(clone);
  await git(clone, 'checkout', '-q', '-b', 'edit');
  const file = join(clone, walk.edit.file);
  expect(readFileSync(file, 'utf8')).toContain(walk.edit.from);
  writeFileSync(file, readFileSync(file, 'utf8').replace(walk.edit.from, walk.edit.to));
  await sweep(walk, clone, walk.swept[1]);
  await commit(clone, 'one factor');

  await ablate(walk, clone, 'report', '--baseline', 'origin/main', '--all', '--comment', 'review/comment.md', '--out', 'review', '--url', URL_OF_COMMIT);
  const recordsOf = (cwd: string): ReportRecord[] => parseRecords(readFileSync(join(cwd, report, 'results.jsonl'), 'utf8'));
  const page = parseMarkup(readFileSync(join(clone, 'review', walk.profile, 'index.html'), 'utf8'));
  return { clone, report, before: recordsOf(origin), now: recordsOf(clone), comment: readFileSync(join(clone, 'review/comment.md'), 'utf8'), page };
}

async function expectThatChangeAlone(walk: Walk): Promise<void> {
  const { clone, report, before, now, comment, page } = await walkThrough(walk);
  const resultOf = (records: readonly ReportRecord[]): string => {
    const { result } = records.find(record => record.result[walk.metric] !== undefined && record.uses.some(({ ablation, arm }) => `${ablation}/${arm}` === walk.arm.name))!;
    return formatValue(result[walk.metric] as number, 'fraction');
  };
  expect(resultOf(now)).not.toBe(resultOf(before));
  const line = `1 run replaced. ${walk.verdicts}${walk.arm.label.replace(': ', ', ')}: seed 0 = ${resultOf(now)} (${resultOf(before)} before).`;

  expect(comment.split('\n')[0]).toBe(`**${walk.profile}: ${line}**`);
  expect([...comment.matchAll(/^\| (?!-)([^|<]+?) (?:<br>.*?)?\|/gm)].map(([, header]) => header)).toEqual(['Arm', walk.arm.label]);
  const [, figure] = /^!\[.*\]\((.*)\?raw=true\)$/m.exec(comment)!;
  expect(figure).toBe(`${URL_OF_COMMIT}/${report}/figures/${walk.arm.name.split('/')[0]!}-result.svg`);
  expect(existsSync(join(clone, figure!.slice(URL_OF_COMMIT.length)))).toBe(true);
  expect(harmless(comment, [`${URL_OF_COMMIT}/`]).split('\n')[0]).toBe(`**${walk.profile}: ${line}**`);

  expect(page.querySelector('#changes p')!.textContent).toBe(line);
  expect([...page.querySelectorAll('#changes tbody th')].map(({ textContent }) => textContent)).toEqual([walk.arm.label]);

  // What was run again came out to the byte: nobody else's record is another, nothing is lost, and all files are what these give.
  const keys = (records: readonly ReportRecord[]): Set<string> => new Set(records.map(({ key }) => key));
  const others = [...now.filter(({ key }) => !keys(before).has(key)), ...before.filter(({ key }) => !keys(now).has(key))];
  expect(new Set(others.flatMap(({ uses }) => uses.map(({ ablation, arm }) => `${ablation}/${arm}`)))).toEqual(new Set([walk.arm.name]));
  expect(await ablate(walk, clone, 'report', '--check', '--profile', walk.profile)).toContain(`${report} is what its records and the declarations give.`);
  expect(await git(clone, 'status', '--porcelain')).toBe('');
  const files = (await git(clone, 'diff', '--name-only', 'origin/main')).split('\n');
  expect(files.filter(name => !name.startsWith(`${report}/`))).toEqual([walk.edit.file]);
}

describe('a clone edits one factor of one ablation, and sweeps', () => {
  it('of a study that needs no engine', () =>
    expectThatChangeAlone({
      parts: ['test/toy/kinds', 'test/toy/experiments/study.ts', 'test/toy/experiments/ablations/cut.ts', 'test/toy/experiments/ablations/variety.ts', 'test/toy/experiments/profiles/quick.ts'],
      experiments: './test/toy/experiments',
      profile: 'quick',
      swept: ['cut,variety', 'cut'],
      edit: { file: 'test/toy/experiments/ablations/cut.ts', from: 'factors: { cut: 0 }', to: 'factors: { cut: 0.25 }' },
      arm: { name: 'cut/none', label: 'Where to cut the scion: None' },
      verdicts: '',
      metric: 'weight',
    }));

  it("of the paper's, with the real stages", { tags: 'long' }, () =>
    expectThatChangeAlone({
      parts: ['experiments'],
      files: {
        'experiments/profiles/toy.ts': `import smoke from './smoke.ts';

const schedule = { epochs: 1, warmup_epochs: 0, batch_size: 32, accumulation_steps: 1, base_lr: 8e-3, min_lr: 0 };
export default {
  ...smoke,
  name: 'toy',
  data: { name: 'procedural', classes: 4, image_size: [28, 28], channels: 1, train: 128, validation: 32, test: 256, seed: 1 },
  unlabelled_images: null,
  labelled_images: 96,
  pretrain: { ...smoke.pretrain, schedule },
  distill: { ...smoke.distill, schedule },
  finetune: { ...smoke.finetune, schedule: { ...schedule, epochs: 4, base_lr: 5e-2 } },
  evaluate: { batch_size: 128 },
};
`,
      },
      experiments: './experiments',
      profile: 'toy',
      swept: ['drop-path/student-01,drop-path/student-02', 'drop-path/student-02'],
      edit: { file: 'experiments/ablations/drop-path.ts', from: "arm('student-02', 0, 0.2,", to: "arm('student-02', 0, 0.5," },
      arm: { name: 'drop-path/student-02', label: 'Drop path: Teacher 0, student 0.5' },
      verdicts: 'No verdict changes. ',
      metric: 'accuracy',
    }),
  );
});
