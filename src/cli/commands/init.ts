/** `ablate init <folder>`: a small study of one's own, to be edited. Its files are those of `init/common` and of the template, which our own checks read. */
import { appendFileSync, constants, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Option, type Command } from '@commander-js/extra-typings';
import { UsageError } from '../../core/ablation/errors.ts';
import { pathOf } from '../options/paths.ts';
import { programFor, quoted } from '../terminal/invocation.ts';
import { firstOf, heading, textTable } from '../terminal/text.ts';
import { pc } from '../terminal/colours.ts';
import { print } from '../terminal/output.ts';

export function registerInit(program: Command): void {
  program
    .command('init')
    .description('write a small commented study of your own: one ablation, one profile, about two minutes to run')
    .argument('<folder>', 'a new folder, or one that holds no more than a README, a licence, files of git and npm', pathOf('<folder>'))
    .addOption(new Option('--template <name>', 'what trains: the stages of TinyMIM, or scripts in Python').choices(TEMPLATE_NAMES).default('tinymim'))
    .action((folder: string, { template }) => {
      writeStudy(folder, template);
      print(`${nextSteps(folder, template)}\n`);
    });
}

interface Template {
  readonly folder: string;
  /** Its files, for people. */
  readonly files: readonly (readonly [file: string, what: string])[];
}

type TemplateName = 'tinymim' | 'python';
const TEMPLATE_NAMES = ['tinymim', 'python'] as const satisfies readonly TemplateName[];
const TEMPLATES: Readonly<Record<TemplateName, Template>> = {
  tinymim: {
    folder: 'study',
    files: [
      ['study.ts', 'the factors and stages that it works with: those of TinyMIM'],
      ['ablations/tiny.ts', 'one ablation: four arms and two hypotheses'],
      ['profiles/minute.ts', 'the scale: three seeds in about two minutes on two cores'],
    ],
  },
  python: {
    folder: 'python',
    files: [
      ['train_plain.py', 'what trains: a softmax regression, which needs no package'],
      ['train_pytorch.py', 'or a small network in PyTorch: ablate sweep --set framework=pytorch'],
      ['study.ts', 'the factors, and the stages that run these scripts'],
      ['ablations/momentum.ts', 'one ablation: two arms and a hypothesis'],
      ['profiles/minute.ts', 'the scale: three seeds in less than a minute on two cores'],
    ],
  },
};

const PACKAGE = fileURLToPath(new URL('../../..', import.meta.url));
/** Of every template. */
const COMMON = 'common';
const templateFolder = (name: string): string => fileURLToPath(new URL(`../init/${name}`, import.meta.url));

/** Lists of lines for git, which may be there already. npm leaves files of these names out of packages. */
const LINES: ReadonlyMap<string, string> = new Map([
  ['gitignore', '.gitignore'],
  ['gitattributes', '.gitattributes'],
]);

/** What a folder may hold that is about to become a study: of a new repository, of npm, of an editor, of the system. */
const WELCOME =
  /^(?:\.git|\.gitignore|\.gitattributes|\.github|\.gitlab-ci\.yml|\.editorconfig|\.idea|\.vscode|\.DS_Store|(?:readme|licen[cs]e|copying|notice|changelog|citation)(?:[.-].*)?|package(?:-lock)?\.json|\.npmrc|node_modules)$/i;

/** Changes no file that is there, but for lines at the end of those for git. @throws UsageError when the folder holds something else, or cannot be written */
function writeStudy(folder: string, template: TemplateName): void {
  try {
    refuseUnlessFree(folder);
    for (const from of [COMMON, TEMPLATES[template].folder].map(templateFolder)) copyFiles(from, folder);
    linkPackage(folder);
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw new UsageError('NOT_WRITTEN', `Expected to be able to write to ${folder}, got: ${(cause as Error).message}`, { cause });
  }
}

function copyFiles(from: string, folder: string): void {
  for (const file of readdirSync(from, { recursive: true, encoding: 'utf8' }).filter(name => statSync(join(from, name)).isFile() && !name.includes('__pycache__'))) {
    const lines = LINES.get(file);
    const target = join(folder, lines ?? file);
    mkdirSync(dirname(target), { recursive: true });
    if (lines === undefined) copyFileSync(join(from, file), target, constants.COPYFILE_EXCL);
    else addLines(target, readFileSync(join(from, file), 'utf8'));
  }
}

function refuseUnlessFree(folder: string): void {
  if (!existsSync(folder)) return;
  const found = statSync(folder).isDirectory() ? readdirSync(folder).filter(name => !WELCOME.test(name)) : undefined;
  if (found?.length === 0) return;
  const got = found === undefined ? 'a file' : `one that holds ${firstOf(found, 3)}`;
  throw new UsageError(
    'NOT_EMPTY',
    `Expected ${folder} to be a new or an empty folder, or one with a README, a licence and files of git and npm, got ${got}. Nothing was written; name another: ablate init <folder>`,
  );
}

/** Adds the lines that a file does not have yet, behind its own. */
function addLines(file: string, text: string): void {
  const own = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const known = new Set(own.split('\n').map(line => line.trim()));
  const missing = text
    .trimEnd()
    .split('\n')
    .filter(line => !known.has(line));
  if (missing.length > 0) appendFileSync(file, `${own === '' || own.endsWith('\n') ? '' : '\n'}${missing.map(line => `${line}\n`).join('')}`);
}

/**
 * Declarations import our name. `ablate` knows itself by it wherever it runs; an editor finds the types where the package is
 * installed, and npx the command, or else by these links, which are no part of the study.
 */
function linkPackage(folder: string): void {
  const require = createRequire(join(resolve(folder), 'study.ts'));
  try {
    require.resolve('tinymim-ablations');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') return;
    const bin = join(folder, 'node_modules', '.bin');
    mkdirSync(bin, { recursive: true });
    symlinkSync(PACKAGE, join(folder, 'node_modules', 'tinymim-ablations'), 'dir');
    symlinkSync(join('..', 'tinymim-ablations', 'src', 'cli', 'ablate.mjs'), join(bin, 'ablate'));
  }
}

function nextSteps(folder: string, template: TemplateName): string {
  const ablate = programFor(folder);
  return [
    `Wrote a study to ${pc.cyan(folder)}:`,
    textTable(TEMPLATES[template].files, [0, 1]),
    '',
    heading('Next:'),
    ...[...(resolve(folder) === process.cwd() ? [] : [`cd ${quoted(folder)}`]), `${ablate} plan`, `${ablate} sweep`].map(line => `  ${pc.cyan(line)}`),
    '',
    'Then open reports/minute/index.html, change a file, and sweep again: only what is new is run.',
  ].join('\n');
}
