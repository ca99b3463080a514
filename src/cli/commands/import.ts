/** `ablate import`: reads a file of weights, such as a released checkpoint, and keeps it where stages find it. */
import { statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { Command } from '@commander-js/extra-typings';
import type { ImportedFile } from '../../core/ablation/declaration.ts';
import { UsageError } from '../../core/ablation/errors.ts';
import { loadStudy } from '../../core/ablation/load.ts';
import { oneLine } from '../../core/text/clean.ts';
import { plural } from '../../core/text/format.ts';
import { dataDir, prepareFolder, withTemporary } from '../../setup/cache.ts';
import { defaultExperiments } from '../options/defaults.ts';
import { pathOf } from '../options/paths.ts';
import { print } from '../terminal/output.ts';
import { heading } from '../terminal/text.ts';

const defineImport = (program: Command) =>
  program
    .command('import')
    .description('read the weights of a file (safetensors, or .pth of PyTorch), say what was found in it, and keep them for profiles that name them, e.g. --set teachers.L.checkpoint=mae-vit-l')
    .argument('<file>', 'the file; nothing in it is executed, and it is not needed afterwards', pathOf('<file>'))
    .option('--as <name>', "what profiles call it (default: the file's own name)")
    .option('--allow-unexpected', 'import although the file holds tensors that nothing here knows, without them')
    .option('--replace', 'give the name to this file where it means another')
    .option('--experiments <folder>', 'folder of declarations, whose study reads the file', pathOf('--experiments'), defaultExperiments());

export function registerImport(program: Command): void {
  defineImport(program).action(async (file, { as: name, allowUnexpected, replace, experiments }) => {
    const study = await loadStudy(experiments);
    if (!study.importFile) throw new UsageError('NO_IMPORT', `Expected a study that reads files of weights, got ${study.name}, which has no importFile.`);
    const folder = resolve(dataDir());
    // Half-precision numbers take twice the space.
    await prepareFolder(folder, 2 * (statSync(file, { throwIfNoEntry: false })?.size ?? 0));
    const imported = await withTemporary(join(folder, 'imports'), scratch => study.importFile!(file, { name, dataDir: folder, scratch, allowUnexpected, replace }));
    print(`${importedText(file, imported)}\n`);
  });
}

function importedText(file: string, { name, sha256, path, read, findings }: ImportedFile): string {
  const lists = Object.entries(findings).filter(([, found]) => found.length > 0);
  return [
    heading(oneLine(`${basename(file)} is imported as ${name}`)),
    ...read.map(line => `  Read      ${oneLine(line)}`),
    ...lists.flatMap(([what, found]) => [`  ${plural(found.length, 'tensor')} ${what}:`, ...found.map(line => `    ${oneLine(line)}`)]),
    `  SHA-256   ${sha256}`,
    `  Kept in   ${path}`,
    `A profile names it as { checkpoint: '${name}' }; with sha256: '${sha256}' it means the same on every machine.`,
  ].join('\n');
}
