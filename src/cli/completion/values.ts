/** Values of options and operands, by the placeholder that stands for them in the help: `--store <folder>`, `explain <ablation/arm>`. */
import { AblateError } from '../../core/ablation/errors.ts';
import { listAblations, listProfiles } from '../../core/ablation/folder.ts';
import { defaultExperiments, defaultProfile } from '../options/defaults.ts';
import type { Placeholder } from './commands.ts';

interface Suggestion {
  readonly word: string;
  readonly help: string;
}

export interface Values {
  /** `words`: one of them, whole; `open`: one of them, and the word may go on; `folders`, `files`: those of the shell. */
  readonly kind: 'words' | 'open' | 'folders' | 'files';
  readonly values: readonly Suggestion[];
}

/** The options of the line, by flag: they say which declarations are meant. */
type Options = ReadonlyMap<string, string>;

type Source = (current: string, options: Options) => Values | Promise<Values>;

/** @param current what is typed of the value */
export async function valuesOf({ placeholder, choices }: Placeholder, current: string, options: Options): Promise<Values> {
  if (choices !== undefined) return { kind: 'words', values: starting(choices, current) };
  try {
    return (await SOURCES.get(placeholder)?.(current, options)) ?? { kind: 'words', values: [] };
  } catch (error) {
    // Declarations with a mistake complete nothing; the command itself will say what is wrong with them.
    if (error instanceof AblateError) return { kind: 'words', values: [] };
    throw error;
  }
}

const shell =
  (kind: 'folders' | 'files'): Source =>
  () => ({ kind, values: [] });

const SOURCES: ReadonlyMap<string, Source> = new Map<string, Source>([
  ['folder', shell('folders')],
  ['store', shell('folders')],
  ['ref|folder', shell('folders')],
  ['file', shell('files')],
  ['profile', (current, options) => ({ kind: 'words', values: starting(listProfiles(folderOf(options)), current) })],
  ['ablation/arm', oneArm],
  ['stage', oneArm],
  ['arms', listOfArms],
  ['path=value', fieldOfProfile],
]);

const starting = (words: readonly string[], current: string): Suggestion[] => words.filter(word => word.startsWith(current)).map(word => ({ word, help: '' }));
const folderOf = (options: Options): string => options.get('--experiments') ?? defaultExperiments();

/** First the ablation, then its arms, for which that one declaration is loaded. */
async function oneArm(current: string, options: Options): Promise<Values> {
  const dir = folderOf(options);
  if (!current.includes('/'))
    return {
      kind: 'open',
      values: starting(
        listAblations(dir).map(name => `${name}/`),
        current,
      ),
    };
  return { kind: 'words', values: await armsOf(dir, current) };
}

/** `relation,masking/masked`: ablations or arms, joined by commas. */
async function listOfArms(current: string, options: Options): Promise<Values> {
  const dir = folderOf(options);
  const before = current.slice(0, current.lastIndexOf(',') + 1);
  const item = current.slice(before.length);
  const values = item.includes('/') ? await armsOf(dir, item) : starting(listAblations(dir), item);
  return { kind: 'open', values: values.map(({ word, help }) => ({ word: before + word, help })) };
}

async function armsOf(dir: string, current: string): Promise<Suggestion[]> {
  const name = current.split('/')[0]!;
  if (!listAblations(dir).includes(name)) return [];
  const { loadAblation, loadStudy } = await import('../../core/ablation/load.ts'); // the schemas take their time
  const { arms } = await loadAblation(dir, name, await loadStudy(dir));
  return arms.map(arm => ({ word: `${name}/${arm.name}`, help: arm.label })).filter(({ word }) => word.startsWith(current));
}

/** The profile's name and seeds are not set so. */
const ELSEWHERE = /^(?:name|seeds)\b/;

/** Fields of the profile that hold a single value. */
async function fieldOfProfile(current: string, options: Options): Promise<Values> {
  if (current.includes('=')) return { kind: 'words', values: [] };
  const dir = folderOf(options);
  const [{ loadProfile, loadStudy }, { valuePaths }, { pathText }] = await Promise.all([
    import('../../core/ablation/load.ts'),
    import('../../core/ablation/fields.ts'),
    import('../../core/ablation/problems.ts'),
  ]);
  const { profile } = await loadProfile(dir, options.get('--profile') ?? defaultProfile(dir), await loadStudy(dir));
  const paths = valuePaths(profile)
    .map(pathText)
    .filter(path => !ELSEWHERE.test(path));
  const single = paths.filter(path => !paths.some(other => other.startsWith(`${path}.`) || other.startsWith(`${path}[`)));
  return {
    kind: 'open',
    values: starting(
      single.map(path => `${path}=`),
      current,
    ),
  };
}
