/** `ablate clean`: remove from the store what no declared arm needs, after showing it. */
import { resolve } from 'node:path';
import type { Command } from '@commander-js/extra-typings';
import { AblateError, UsageError } from '../../core/ablation/errors.ts';
import { listProfiles } from '../../core/ablation/folder.ts';
import { loadExperiments, loadStudy, type ExperimentsChoice } from '../../core/ablation/load.ts';
import { filesOf, type PlannedFile } from '../../core/plan/files.ts';
import { buildPlan } from '../../core/plan/plan.ts';
import { findGarbage, removeStage, type Garbage } from '../../core/store/garbage.ts';
import { openStore, openStoreReadOnly } from '../../core/store/store.ts';
import type { StoreReader } from '../../core/store/reader.ts';
import { isOfStudy } from '../../core/store/sweeps.ts';
import { dataDir } from '../../setup/cache.ts';
import { withFolders } from '../options/selection.ts';
import { formatAmount, listed, plural } from '../../core/text/format.ts';
import { commandLine } from '../terminal/invocation.ts';
import { heading, textTable, warn } from '../terminal/text.ts';
import { print } from '../terminal/output.ts';

const defineClean = (program: Command) =>
  withFolders(
    program
      .command('clean')
      .description('show what of the store this study declared once, and neither a declared arm, of any profile, seed or --set that was swept, nor a running sweep needs; --yes removes it'),
  ).option('--yes', 'remove it');

export function registerClean(program: Command): void {
  defineClean(program).action(async options => {
    const reader = openStoreReadOnly(options.store, { warn });
    const { name: study } = await loadStudy(options.experiments);
    const unneeded = findGarbage(reader, await neededKeys(options.experiments, study, reader));
    const garbage = unneeded.filter(({ studies }) => studies.length === 1 && studies[0] === study);
    print(`${garbageText(garbage, options.store, study)}\n`);
    const others = unneeded.filter(stage => !garbage.includes(stage));
    if (others.length > 0) print(`${othersText(others, study)}\n`);
    if (garbage.length === 0) return;
    if (options.yes !== true) {
      print('Nothing was removed. To remove it: the same command with --yes\n');
      return;
    }
    const store = openStore(options.store, { warn });
    const kept = garbage.filter(({ key }) => !removeStage(store, key));
    print(`Removed ${plural(garbage.length - kept.length, 'stage')}.\n`);
    if (kept.length > 0) print(`Kept ${plural(kept.length, 'stage')} that a sweep has begun to work on.\n`);
    store.clearLeftovers();
  });
}

/** Keys of all stages of all arms: at every profile as declared, and at every scale that a sweep of this study was asked for. */
async function neededKeys(experiments: string, study: string, store: StoreReader): Promise<Set<string>> {
  const declared = listProfiles(experiments);
  const asked = store
    .sweeps()
    .filter(sweep => isOfStudy(sweep, study) && declared.includes(sweep.profile))
    .map(({ profile, overrides, seeds }): ExperimentsChoice => ({ profile, sets: overrides, seeds: seeds.join(',') }));
  const needed = new Set<string>();
  for (const choice of [...declared.map(profile => ({ profile })), ...distinct(asked)]) {
    for (const key of await keysAt(experiments, choice)) needed.add(key);
  }
  return needed;
}

function requireFiles(files: readonly PlannedFile[]): void {
  const missing = files.find(({ file }) => file.missing);
  const mend = missing?.file.missing?.mend;
  if (missing)
    throw new AblateError(
      'MISSING_FILE',
      `Expected all files that sweeps of this store started from, got none for ${missing.file.text}. Without it nobody knows what is needed.${mend ? `\nTo mend it: ${commandLine(mend)}` : ''}`,
    );
}

/** A scale that no longer fits the declarations needs nothing; one that never was part of a sweep must be right. */
async function keysAt(experiments: string, choice: ExperimentsChoice): Promise<Iterable<string>> {
  try {
    const data = (): string => resolve(dataDir());
    const loaded = await loadExperiments(experiments, { ...choice, dataDir: data });
    const { stages } = buildPlan(loaded);
    // Under names whose files were imported when they were swept, stages have other keys.
    if (choice.sets !== undefined) requireFiles(filesOf(loaded, stages.values(), data));
    return stages.keys();
  } catch (error) {
    if (error instanceof UsageError && (choice.sets ?? []).length > 0) return [];
    throw error;
  }
}

const distinct = (choices: readonly ExperimentsChoice[]): ExperimentsChoice[] => [...new Map(choices.map(choice => [JSON.stringify(choice), choice])).values()];

function garbageText(garbage: readonly Garbage[], store: string, study: string): string {
  if (garbage.length === 0) return `Every stage of ${study} in ${store}/ is needed by a declared arm.`;
  const total = garbage.reduce((sum, g) => sum + g.bytes, 0);
  const rows = [...garbage].sort((a, b) => b.bytes - a.bytes).map(g => [g.key.slice(0, 12), g.label, g.state, formatAmount(g.bytes, 'B')]);
  return `${heading('Not needed by any declared arm')}: ${plural(garbage.length, 'stage')}, ${formatAmount(total, 'B')}\n\n${textTable(rows, [0, 1, 2])}\n`;
}

/** In one line what is left, and whose it is. */
function othersText(others: readonly Garbage[], study: string): string {
  const counts = new Map<string, number>();
  for (const { studies } of others) {
    const owners = studies.filter(name => name !== study);
    const whose = owners.length > 0 ? `of ${listed(owners)}` : 'of a study that no record of a sweep names (those of older versions do not)';
    counts.set(whose, (counts.get(whose) ?? 0) + 1);
  }
  return `Left alone: ${[...counts].map(([whose, count]) => `${plural(count, 'stage')} ${whose}`).join(', ')}.`;
}
