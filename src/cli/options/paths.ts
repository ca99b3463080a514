/** Paths on the command line. */
import { UsageError } from '../../core/ablation/errors.ts';

/**
 * For the value of an option or argument that names a file or folder: what a shell, or another program, would have made a path of is
 * refused. Taken as it is, it would name a new folder here, `s3:` or `~`.
 * @param what as the user knows it, e.g. `--store`
 * @throws UsageError
 */
export const pathOf =
  (what: string) =>
  (value: string): string => {
    const got = WRONG.find(([pattern]) => pattern.test(value));
    if (got) throw new UsageError('NO_PATH', `${what}: expected a path of this machine, got '${value}', ${got[1]}`);
    return value;
  };

const WRONG: readonly (readonly [RegExp, string])[] = [
  [/^$/, 'which is empty; the current folder is .'],
  [/^[a-z][a-z0-9+.-]*:\/\//i, 'an address. Mount or copy what is there, and give the path'],
  [/^~/, 'which no shell has read, as where it stands in quotes. Write the path out, or $HOME outside of single quotes; a folder of such a name is ./~...'],
  [/^\$\{?[A-Za-z_]/, 'which no shell has read, as where it stands in single quotes. Write the path out; a folder of such a name is ./$...'],
];

/** Of an option that takes several. @param name as `pathOf` */
export const pathsOf =
  (name: string) =>
  (value: string, earlier: readonly string[] = []): readonly string[] => [...earlier, pathOf(name)(value)];
