/** `ablate init <folder>`: a small study of one's own, to be edited. Its files are those of `init/study`, which our own checks read. */
import { constants, copyFileSync, existsSync, mkdirSync, readdirSync, statSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from '@commander-js/extra-typings';
import { UsageError } from '../../core/ablation/errors.ts';
import { programFor, quoted } from '../terminal/invocation.ts';
import { firstOf, heading, textTable } from '../terminal/text.ts';
import { pc } from '../terminal/colours.ts';
import { print } from '../terminal/output.ts';

export function registerInit(program: Command): void {
  program
    .command('init')
    .description('write a small commented study of your own: one ablation, one profile, about a minute to run')
    .argument('<folder>', 'a new folder, or an empty one')
    .action((folder: string) => {
      writeStudy(folder);
      print(`${nextSteps(folder)}\n`);
    });
}

const PACKAGE = fileURLToPath(new URL('../../..', import.meta.url));
const TEMPLATE = fileURLToPath(new URL('../init/study', import.meta.url));

/** npm leaves `.gitignore` files out of packages. */
const NAMES: ReadonlyMap<string, string> = new Map([['gitignore', '.gitignore']]);

/** Touches no file that is there. @throws UsageError when the folder holds something, or cannot be written */
function writeStudy(folder: string): void {
  try {
    refuseUnlessEmpty(folder);
    for (const file of readdirSync(TEMPLATE, { recursive: true, encoding: 'utf8' }).filter(name => statSync(join(TEMPLATE, name)).isFile())) {
      const target = join(folder, dirname(file), NAMES.get(basename(file)) ?? basename(file));
      mkdirSync(dirname(target), { recursive: true });
      copyFileSync(join(TEMPLATE, file), target, constants.COPYFILE_EXCL);
    }
    linkPackage(folder);
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw new UsageError('NOT_WRITTEN', `Expected to be able to write to ${folder}, got: ${(cause as Error).message}`, { cause });
  }
}

function refuseUnlessEmpty(folder: string): void {
  if (!existsSync(folder)) return;
  const found = statSync(folder).isDirectory() ? readdirSync(folder).filter(name => name !== '.git') : undefined;
  if (found?.length === 0) return;
  const got = found === undefined ? 'a file' : `one that holds ${firstOf(found, 3)}`;
  throw new UsageError('NOT_EMPTY', `Expected ${folder} to be a new or an empty folder, got ${got}. Nothing was written; name another: ablate init <folder>`);
}

/**
 * Declarations import our name. `ablate` knows itself by it wherever it runs; an editor finds the types where the package is
 * installed, or else by this link, which is no part of the study.
 */
function linkPackage(folder: string): void {
  const require = createRequire(join(resolve(folder), 'study.ts'));
  try {
    require.resolve('tinymim-ablations');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') return;
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(PACKAGE, join(folder, 'node_modules', 'tinymim-ablations'), 'dir');
  }
}

function nextSteps(folder: string): string {
  const ablate = programFor(folder);
  return [
    `Wrote a study to ${pc.cyan(folder)}:`,
    textTable(
      [
        ['study.ts', 'the factors and stages that it works with: those of TinyMIM'],
        ['ablations/tiny.ts', 'one ablation: four arms with published values, and two claims'],
        ['profiles/minute.ts', 'the scale: three seeds in about a minute on two cores'],
      ],
      [0, 1],
    ),
    '',
    heading('Next:'),
    ...[`cd ${quoted(folder)}`, `${ablate} plan`, `${ablate} sweep`].map(line => `  ${pc.cyan(line)}`),
    '',
    'Then open reports/minute/index.html, change a file, and sweep again: only what is new is run.',
  ].join('\n');
}
