/** The program as JavaScript: a copy of its TypeScript, file by file, below `node_modules/.cache`. Plain JavaScript, because it comes first. */
import { createHash, randomBytes } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';

const NAME = 'tinymim-ablations';
/** Raised when `compile` gives something else for the same sources. */
const FORM = 1;
const INDEX = 'index.json';
const DAY_MS = 24 * 3_600_000;

/** @typedef {Readonly<Record<string, string>>} Sources path from the root -> what changes with the file */

/** @type {typeof import('./compiled-copy.d.mts').findCopy} */
export async function findCopy(root) {
  const copies = join(root, 'node_modules', '.cache', NAME);
  try {
    const sources = stateOfSources(root);
    const program = { form: `${FORM} ${stateOf(join(root, 'package.json'))}`, root };
    const copy = join(copies, digest([program, sources]));
    if (isThere(copy)) markUsed(copy);
    else if (mayWrite(root)) await make(copy, program, sources);
    // Under the name that Node knows it by: node_modules may be a link.
    return isTrusted(copies, root) && isTrusted(copy, root) ? realpathSync(copy) : undefined;
  } catch {
    return undefined; // No packages yet, no room, a read-only disk, a source that is no TypeScript: the sources are loaded, and say what is wrong.
  }
}

/** The last ones are in a clone alone: a study that tests sweep hundreds of times. */
const FOLDERS = ['src', 'experiments', ...['experiments', 'hardship', 'kinds'].map(folder => `test/toy/${folder}`)];

/** @returns {Sources} */
function stateOfSources(root) {
  const files = FOLDERS.filter(folder => existsSync(join(root, folder))).flatMap(folder => readdirSync(join(root, folder), { recursive: true, withFileTypes: true }));
  const typescript = files.filter(file => file.isFile() && file.name.endsWith('.ts') && !file.name.endsWith('.d.ts')).map(file => join(file.parentPath, file.name));
  return Object.fromEntries(typescript.sort().map(file => [relative(root, file), stateOf(file)]));
}

function stateOf(file) {
  const { size, mtimeMs } = statSync(file);
  return `${size} ${mtimeMs}`;
}

const digest = value => createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 32);

function isThere(folder) {
  try {
    accessSync(folder, constants.R_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const userId = () => process.geteuid?.() ?? 0;

/** Only whose sources they are: copies of another user, such as root, would be in the owner's way. */
const mayWrite = root => statSync(join(root, 'src')).uid === userId();

/** Whether nobody put it there or changes it who could not change the sources as well. */
function isTrusted(folder, root) {
  const { uid, mode } = lstatSync(folder); // a link has all the bits of mode
  return (mode & 0o022) === 0 && [0, userId(), statSync(join(root, 'src')).uid].includes(uid);
}

/** Copies that no start has used for a week go. The time of a folder says when it was used, to the day. */
function markUsed(copy) {
  if (Date.now() - statSync(copy).mtimeMs < DAY_MS) return;
  try {
    utimesSync(copy, new Date(), new Date());
  } catch {
    // Another user's: its owner starts it, or it is made again.
  }
}

function removeUnused(copies) {
  for (const name of readdirSync(copies)) {
    const folder = join(copies, name);
    try {
      if (Date.now() - lstatSync(folder).mtimeMs > 7 * DAY_MS) rmSync(folder, { recursive: true, force: true });
    } catch {
      // Another user's, or another start was faster.
    }
  }
}

/** Makes a copy, whole or not at all. Files that an earlier copy has already are the same files. */
async function make(copy, program, sources) {
  const copies = dirname(copy);
  mkdirSync(copies, { recursive: true, mode: 0o755 });
  if (!isTrusted(copies, program.root)) return;
  removeUnused(copies);
  const temporary = `${copy}.${randomBytes(4).toString('hex')}`;
  mkdirSync(temporary, { mode: 0o755 });
  try {
    const changed = linkUnchanged(temporary, newestCopy(copies, program), sources);
    for (const { path, contents } of await compile(changed, temporary, program.root, sources)) write(path, contents);
    write(join(temporary, INDEX), JSON.stringify({ ...program, sources, made: Date.now() }));
    renameSync(temporary, copy);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    if (!isThere(copy)) throw error; // else another start was faster
  }
}

/** @returns the sources that are left to compile */
function linkUnchanged(temporary, earlier, sources) {
  const files = Object.keys(sources);
  if (earlier === undefined) return files;
  const link = file => {
    const target = join(temporary, compiledName(file));
    mkdirSync(dirname(target), { recursive: true, mode: 0o755 });
    try {
      linkSync(join(earlier.folder, compiledName(file)), target);
      return true;
    } catch {
      return false; // a disk without such links
    }
  };
  return files.filter(file => earlier.sources[file] !== sources[file] || !link(file));
}

/** The last copy of this program in another state. */
function newestCopy(copies, { form, root }) {
  const found = readdirSync(copies).flatMap(name => {
    const folder = join(copies, name);
    try {
      return isTrusted(folder, root) ? [{ folder, ...JSON.parse(readFileSync(join(folder, INDEX), 'utf8')) }] : [];
    } catch {
      return []; // one that is just being made
    }
  });
  return found.filter(copy => copy.form === form && copy.root === root).sort((a, b) => b.made - a.made)[0];
}

const compiledName = file => file.replace(/\.ts$/, '.mjs');

/** Addresses of sources in `import.meta.url` stay, so that data files, workers and packages are found where they are. */
async function compile(files, target, root, sources) {
  const { build } = await import('esbuild');
  const require = createRequire(join(root, 'package.json'));
  /** The file that an import means; undefined: a package's. */
  const meant = (specifier, importer) => {
    if (specifier === NAME || specifier.startsWith(`${NAME}/`)) return require.resolve(specifier);
    return /^\.{1,2}\//.test(specifier) ? resolve(dirname(importer), specifier) : undefined;
  };
  const address = (specifier, importer) => {
    const file = meant(specifier, importer);
    if (file === undefined) return specifier;
    if (sources[relative(root, file)] === undefined) return pathToFileURL(file).href;
    const path = relative(dirname(importer), compiledName(file)).split(sep).join('/');
    return path.startsWith('.') ? path : `./${path}`;
  };
  const redirect = ({ kind, path, importer }) => (kind === 'entry-point' ? undefined : { path: address(path, importer), external: true });
  const load = ({ path }) => ({ loader: 'ts', contents: readFileSync(path, 'utf8').replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)) });
  const plugin = {
    name: 'file by file',
    setup: build => {
      build.onResolve({ filter: /.*/ }, redirect);
      build.onLoad({ filter: /\.ts$/ }, load);
    },
  };
  const { outputFiles } = await build({
    entryPoints: files.map(file => join(root, file)),
    outdir: target,
    outbase: root,
    outExtension: { '.js': '.mjs' },
    bundle: true, // each file by itself: all that it imports is external
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    supported: { 'import-attributes': true },
    sourcemap: 'inline',
    sourcesContent: false,
    logLevel: 'silent',
    plugins: [plugin],
  });
  return outputFiles;
}

/** On the disk when it returns: a name must not outlive a power cut without what it names. */
function write(path, contents) {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  const file = openSync(path, 'wx', 0o644);
  try {
    writeFileSync(file, contents);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
