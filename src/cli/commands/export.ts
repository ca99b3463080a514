/** `ablate export`: weights of a finished stage, or all numbers of a store, for other programs. */
import { accessSync, constants, lstatSync, opendirSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { dirname, extname, sep } from 'node:path';
import type { Command } from '@commander-js/extra-typings';
import { UsageError } from '../../core/ablation/errors.ts';
import { loadStudy } from '../../core/ablation/load.ts';
import type { Study } from '../../core/ablation/declaration.ts';
import { findArm, type ChosenArm } from '../../core/inspect/arm.ts';
import { cardOf, compareCards, parseCard, type Card } from '../../core/inspect/card.ts';
import { namedByArm, namedByKey, requireExportable, requireOutput, type NamedStage } from '../../core/inspect/exported.ts';
import { exportStore, isStoreFormat, type StoreFormat } from '../../core/inspect/export-store.ts';
import { stageByPrefix } from '../../core/inspect/stage.ts';
import type { PlannedExperiments } from '../../core/plan/plan.ts';
import { openStoreReadOnly } from '../../core/store/store.ts';
import type { StoreReader } from '../../core/store/reader.ts';
import { formatAmount, plural } from '../../core/text/format.ts';
import { dataDir } from '../../setup/cache.ts';
import { pathOf } from '../options/paths.ts';
import { choose, withSelection, type OptionsOf } from '../options/selection.ts';
import { pc } from '../terminal/colours.ts';
import { quoted } from '../terminal/invocation.ts';
import { note, print } from '../terminal/output.ts';
import { columns, warn, wrap } from '../terminal/text.ts';

type ExportOptions = OptionsOf<typeof defineExport>;

const defineExport = (program: Command) =>
  withSelection(
    program
      .command('export')
      .description(
        'write the weights of a finished stage, given by the start of its key, or of an arm, for another program, or all numbers of the store (--to parquet, --to tensorboard); prints the code that loads them there',
      )
      .argument('<stage>', 'start of a key as status prints it, or ablation/arm; for parquet and tensorboard the folder to make'),
  )
    .requiredOption('--to <format>', 'the other program, e.g. timm or mae')
    .option('--role <role>', 'of an arm: the stage in this role (default: the last one that has weights)')
    .option('--out <file>', 'the file to write, which must not be there yet (default: a name of the stage, in this folder)', pathOf('--out'))
    .option('--card', 'of an arm: write a card beside the file (.json): recipe, key, seed, how good the arm is, and how to make the file again')
    .option('--against <card>', 'say whether the stage has the key of that card, and how far the arm is from it; ends with 1 where the key is another', pathOf('--against'));

export function registerExport(program: Command): void {
  defineExport(program).action(async (name, options) => {
    const store = openStoreReadOnly(options.store, { warn });
    if (isStoreFormat(options.to)) {
      await exportNumbers(store, options.to, name, options);
      return;
    }
    const { study, stage, of } = await named(store, name, options);
    const { exporting, recipe, ending } = requireExportable(study, stage, options.to, store);
    const path = options.out ?? `${stage.file}-${options.to}${ending}`;
    const cardPath = options.card === true ? `${path.slice(0, path.length - extname(path).length)}.json` : undefined;
    for (const file of [path, ...(cardPath === undefined ? [] : [cardPath])]) requireFree(file, store);
    const kept = options.against === undefined ? undefined : parseCard(readCard(options.against), options.against);
    const output = await requireOutput(store, stage);
    const write = await exporting.load();
    const { kind, seed } = stage.identity;
    const origin = { stage: stage.key, kind, seed: String(seed), name: stage.name, study: study.name };
    const { usage, notes, facts = {} } = await written(path, () => write({ recipe, format: options.to, output, path, origin, dataDir: dataDir() }));
    note(`Wrote ${pc.cyan(path)} (${formatAmount(statSync(path).size, 'B')}): ${stage.name} ${pc.dim(stage.key.slice(0, 12))}, for ${options.to}.\n`);
    for (const sentence of notes) note(`${wrap(`- ${sentence}`, columns(), '  ')}\n`);
    print(`${usage.join('\n')}\n`);
    if (of === undefined || (cardPath ?? kept) === undefined) return;
    const card = cardOf({ ...of, stage, store, file: { path, bytes: statSync(path).size, facts }, remake: remakeOf(of, options) });
    if (cardPath !== undefined) {
      await written(cardPath, () => Promise.resolve(writeFileSync(cardPath, `${JSON.stringify(card, undefined, 2)}\n`)));
      note(`Wrote ${pc.cyan(cardPath)}, its card.\n`);
    }
    if (kept !== undefined) process.exitCode = compared(card, kept);
  });
}

/** What reads it there, one line each. */
const READERS: Readonly<Record<StoreFormat, (folder: string) => string[]>> = {
  parquet: folder => [
    `pandas:  results = pandas.read_parquet(${JSON.stringify(`${folder}/results.parquet`)})`,
    `polars:  results = polars.read_parquet(${JSON.stringify(`${folder}/results.parquet`)})`,
    `R:       results <- arrow::read_parquet(${JSON.stringify(`${folder}/results.parquet`)})`,
  ],
  tensorboard: folder => [`tensorboard --logdir ${quoted(folder)}`],
};

/** @throws UsageError where options are given that are for weights */
async function exportNumbers(store: StoreReader, format: StoreFormat, folder: string, options: ExportOptions): Promise<void> {
  const [needless] = (['role', 'out', 'card', 'against'] as const).filter(name => options[name] !== undefined);
  if (needless !== undefined) throw new UsageError('BAD_OPTION', `--${needless}: expected none with --to ${format}, which writes all of the store into the folder ${folder}; leave it out`);
  const { files, bytes } = await exportStore(store, format, folder, warn);
  note(`Wrote ${pc.cyan(folder)}: ${plural(files.length, 'file')}, ${formatAmount(bytes, 'B')}.\n`);
  print(`${READERS[format](folder).join('\n')}\n`);
}

/** An arm as it was chosen, of which a card tells. */
interface Of {
  readonly chosen: PlannedExperiments;
  readonly arm: ChosenArm;
}

function compared(made: Card, kept: Card): number {
  const { sameKey, lines } = compareCards(made, kept);
  for (const line of lines) note(`${line}\n`);
  return sameKey ? 0 : 1;
}

/** As in a folder where the study is found: a card names no place of this machine. */
function remakeOf({ chosen: { profile, overrides }, arm }: Of, { to, role }: Pick<ExportOptions, 'to' | 'role'>): string[] {
  const scale = ['--profile', profile.name, ...overrides.flatMap(override => ['--set', override])];
  return [
    ['ablate', 'sweep', '--only', arm.name, ...scale],
    ['ablate', 'export', arm.name, ...(role === undefined ? [] : ['--role', role]), '--to', to, '--card', '--only', arm.name, ...scale],
  ].map(words => words.map(quoted).join(' '));
}

function readCard(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new UsageError('UNREADABLE_FILE', `--against: expected a card, got: ${(cause as Error).message}`, { cause });
  }
}

/** A key needs no more of the declarations than the study, whose kinds know what can go out. */
async function named(store: StoreReader, name: string, options: ExportOptions): Promise<{ study: Study; stage: NamedStage; of?: Of }> {
  if (!name.includes('/')) {
    if (options.role !== undefined) throw new UsageError('ROLE_OF_KEY', `--role: expected an arm, of whose stages one is meant, got the key '${name}', which is one stage; leave --role out`);
    if (options.card === true || options.against !== undefined)
      throw new UsageError('CARD_OF_KEY', `--card, --against: expected an arm, which a card says how good it is, got the key '${name}', of a stage alone`);
    const stage = namedByKey(store, stageByPrefix(store, name));
    return { study: await loadStudy(options.experiments), stage };
  }
  const chosen = await choose(options);
  const arm = findArm(chosen, name);
  return { study: chosen.study, stage: namedByArm(chosen, arm, store, options.role), of: { chosen, arm } };
}

/** @throws UsageError where something is in the way, or nothing could be written */
function requireFree(path: string, store: StoreReader): void {
  let there: object | undefined;
  try {
    const folder = dirname(path);
    accessSync(folder, constants.W_OK);
    opendirSync(folder).closeSync();
    there = lstatSync(path, { throwIfNoEntry: false });
  } catch (cause) {
    throw notWritten(path, cause);
  }
  if (there) throw new UsageError('OUT_EXISTS', `--out: expected a file that is not there yet, got ${path}; remove it, or name another`);
  // A file that no stage wrote there is damage.
  if (`${realpathSync(dirname(path))}${sep}`.startsWith(`${realpathSync(store.dir)}${sep}`))
    throw new UsageError('OUT_IN_STORE', `--out: expected a file outside of the store, got ${path} in ${store.dir}; name another`);
}

const notWritten = (path: string, cause: unknown): UsageError =>
  new UsageError('OUT_NOT_WRITABLE', `--out: expected a folder with room in which ${path} can be written, got: ${(cause as Error).message}. Name another`, { cause });

/** Errors of the system become words. */
async function written<T>(path: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    throw error instanceof Error && 'errno' in error ? notWritten(path, error) : error;
  }
}
