/** Values of options and operands, by the placeholder that stands for them in the help: `--store <folder>`, `explain <ablation/arm>`. */
import { AblateError } from '../../core/ablation/errors.ts';
import { listAblations, listProfiles } from '../../core/ablation/folder.ts';
import { defaultExperiments, defaultProfile } from '../options/defaults.ts';
import { readNames } from '../options/names.ts';
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

type Source = (current: string, options: Options) => Values;

/** @param current what is typed of the value */
export function valuesOf({ placeholder, choices }: Placeholder, current: string, options: Options): Values {
  if (choices !== undefined) return { kind: 'words', values: starting(choices, current) };
  try {
    return SOURCES.get(placeholder)?.(current, options) ?? { kind: 'words', values: [] };
  } catch (error) {
    // A folder that holds none completes nothing; the command itself will say so.
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
  ['profile', (current, options) => ({ kind: 'words', values: starting(plain(listProfiles(folderOf(options))), current) })],
  ['ablation/arm', oneArm],
  ['stage', oneArm],
  ['arms', listOfArms],
  ['path=value', fieldOfProfile],
  ['format', (current, options) => ({ kind: 'words', values: starting(plain(readNames(folderOf(options)).formats), current) })],
]);

const starting = (words: readonly string[], current: string): Suggestion[] => words.filter(word => word.startsWith(current)).map(word => ({ word, help: '' }));
/** A file may have any name, and what is offered lands on a line that a shell runs. */
const plain = (names: readonly string[]): string[] => names.filter(name => /^[a-z0-9][\w.-]*$/.test(name));
const folderOf = (options: Options): string => options.get('--experiments') ?? defaultExperiments();

/** First the ablation, then its arms, which a command has to have loaded before. */
function oneArm(current: string, options: Options): Values {
  const dir = folderOf(options);
  if (!current.includes('/'))
    return {
      kind: 'open',
      values: starting(
        plain(listAblations(dir)).map(name => `${name}/`),
        current,
      ),
    };
  return { kind: 'words', values: armsOf(dir, current) };
}

/** `relation,masking/masked`: ablations or arms, joined by commas. */
function listOfArms(current: string, options: Options): Values {
  const dir = folderOf(options);
  const before = current.slice(0, current.lastIndexOf(',') + 1);
  const item = current.slice(before.length);
  const values = item.includes('/') ? armsOf(dir, item) : starting(plain(listAblations(dir)), item);
  return { kind: 'open', values: values.map(({ word, help }) => ({ word: before + word, help })) };
}

function armsOf(dir: string, current: string): Suggestion[] {
  const name = current.split('/')[0]!;
  const { ablations } = readNames(dir);
  if (!Object.hasOwn(ablations, name)) return [];
  return ablations[name]!.map(([arm, help]) => ({ word: `${name}/${arm}`, help })).filter(({ word }) => word.startsWith(current));
}

/** Fields of the profile that hold a single value. */
function fieldOfProfile(current: string, options: Options): Values {
  const dir = folderOf(options);
  const { profiles } = readNames(dir);
  const profile = options.get('--profile') ?? defaultProfile(dir);
  const paths = current.includes('=') || !Object.hasOwn(profiles, profile) ? [] : profiles[profile]!;
  return {
    kind: paths.length === 0 ? 'words' : 'open',
    values: starting(
      paths.map(path => `${path}=`),
      current,
    ),
  };
}
