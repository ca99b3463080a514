/** The selectors that plan, sweep, status and report share. */
import { resolve } from 'node:path';
import { Option, type Command, type OptionValues } from '@commander-js/extra-typings';
import { dataDir } from '../../setup/cache.ts';
import { listAblations } from '../../core/ablation/folder.ts';
import { valuePaths } from '../../core/ablation/fields.ts';
import { loadExperiments, type Experiments } from '../../core/ablation/load.ts';
import { STORE_FORMATS } from '../../core/inspect/export-store.ts';
import { exportFormats } from '../../core/inspect/exported.ts';
import { pathText } from '../../core/ablation/problems.ts';
import { planExperiments, type PlannedExperiments } from '../../core/plan/plan.ts';
import { refuseSharedFiles } from '../../core/report/model/file-names.ts';
import { oneLine, shorten } from '../../core/text/clean.ts';
import { defaultExperiments, defaultProfile } from './defaults.ts';
import { keepNames, type DeclaredNames } from './names.ts';
import { note } from '../terminal/output.ts';
import { pathOf } from './paths.ts';

/** What a command gets from its options, as its definition has them. */
export type OptionsOf<Define extends (program: Command) => { opts(): object }> = Readonly<ReturnType<ReturnType<Define>['opts']>>;

/** What {@link withSelection} gives a command. Without a profile: see `defaultProfile`. */
export type Selection = Readonly<ReturnType<ReturnType<typeof withSelection<[], None, None>>['opts']>>;
// eslint-disable-next-line @typescript-eslint/no-generated-empty-object-type -- of a command that has no options of its own
type None = Record<never, never>;

/** Of an option that is given several times: its lists as one. */
export const oneList = (value: string, earlier?: string): string => (earlier === undefined ? value : `${earlier},${value}`);
const several = (value: string, earlier: readonly string[] = []): readonly string[] => [...earlier, value];

export function withSelection<Args extends unknown[], Options extends OptionValues, Global extends OptionValues>(command: Command<Args, Options, Global>) {
  return withFolders(
    withScale(
      command
        .option('--only <arms>', 'ablations or arms, e.g. relation or relation/qk-vv,masking/* (in quotes); may be given several times (default: all)', several)
        .option('--seeds <list>', "seeds of the replicates, e.g. 0,1,2 or 0-2; may be given several times (default: the profile's)", oneList),
    ),
  );
}

/** Which report is meant. */
export function withScale<Args extends unknown[], Options extends OptionValues, Global extends OptionValues>(command: Command<Args, Options, Global>) {
  return command
    .option('--profile <profile>', 'the scale at which arms are realised (default: "mini", or the only one there is)')
    .option('--set <path=value>', 'change a field of the profile, e.g. distill.epochs=5; may be given several times', several)
    .option('--teacher-seeds', 'a teacher of its own for each replicate, so that intervals cover teachers, too: --set teacher_seed=replicate');
}

export function withFolders<Args extends unknown[], Options extends OptionValues, Global extends OptionValues>(command: Command<Args, Options, Global>) {
  return withExperiments(command.option('--store <folder>', 'where runs are kept', pathOf('--store'), 'runs'));
}

export function withExperiments<Args extends unknown[], Options extends OptionValues, Global extends OptionValues>(command: Command<Args, Options, Global>) {
  return command.addOption(
    new Option('--experiments <folder>', 'folder of declarations: study, ablations/, profiles/')
      .argParser(pathOf('--experiments'))
      .default(defaultExperiments(), 'this folder where it holds them, else those that come with ablate'),
  );
}

/** For commands that make ready what stages need. */
export function withData<Args extends unknown[], Options extends OptionValues, Global extends OptionValues>(command: Command<Args, Options, Global>) {
  return command.option('--data <name=folder>', 'where a folder of images lies, such as imagenet1k=/path: told once and remembered, as by ablate setup; may be given several times', several);
}

/**
 * As `choose`, once this machine has done what it can by itself: folders of images are indexed at their first use.
 * @throws UsageError when a declaration, a selector or a folder is wrong
 */
export async function chooseReady({ data = [], ...selection }: Parameters<typeof choose>[0] & { readonly data?: readonly string[] | undefined }): Promise<PlannedExperiments> {
  if (data.length > 0) (await import('../../setup/data.ts')).tellFolders(data);
  return choose(selection, line => note(`${line}\n`));
}

/**
 * @param prepare as `ExperimentsChoice` has it
 * @throws UsageError when a declaration or a selector is wrong
 */
export async function choose(
  selection: Omit<Selection, 'profile' | 'store'> & { readonly profile?: string | undefined; readonly store?: string },
  prepare?: (line: string) => void,
): Promise<PlannedExperiments> {
  const { profile = defaultProfile(selection.experiments), only, seeds, set = [], teacherSeeds = false } = selection;
  const experiments = await loadExperiments(selection.experiments, {
    profile,
    ...(only === undefined ? {} : { only }),
    ...(seeds === undefined ? {} : { seeds }),
    dataDir: () => resolve(dataDir()),
    ...(prepare && { prepare }),
    sets: [...set, ...(teacherSeeds ? ['teacher_seed=replicate'] : [])],
  });
  refuseSharedFiles(listAblations(experiments.dir), experiments.study);
  keepNames(experiments.dir, namesIn(experiments));
  return planExperiments(experiments);
}

/** The profile's name and seeds are not set as other fields are. */
const ELSEWHERE = /^(?:name|seeds)\b/;

function namesIn({ study, ablations, profile }: Experiments): DeclaredNames {
  const paths = valuePaths(profile)
    .map(pathText)
    .filter(path => !ELSEWHERE.test(path));
  const holdsOthers = (path: string): boolean => paths.some(other => other.startsWith(`${path}.`) || other.startsWith(`${path}[`));
  return {
    ablations: Object.fromEntries(ablations.map(({ declaration }) => [declaration.name, declaration.arms.map(({ name, label }): [string, string] => [name, shorten(oneLine(label), 100)])])),
    profiles: { [profile.name]: paths.filter(path => !holdsOthers(path)) },
    formats: [...exportFormats(study), ...STORE_FORMATS],
  };
}
