/**
 * First step of every set-up: the npm packages. Runs before any package is there, so it is plain JavaScript without imports
 * from outside. Silent when there is nothing to do.
 */
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { lockFile, withLock } from './lock.mjs';

/**
 * Whether `node_modules` of `root` holds what `package-lock.json` asks for. npm writes `node_modules/.package-lock.json` as the
 * last act of an install, so an interrupted one is never taken for done. Optional packages of other platforms may be absent.
 * @param {string} root
 * @returns {boolean}
 */
export function packagesInstalled(root) {
  const wanted = readPackages(path.join(root, 'package-lock.json'));
  const installed = readPackages(path.join(root, 'node_modules', '.package-lock.json'));
  if (!wanted) throw new Error(`Expected ${path.join(root, 'package-lock.json')} to be a lock file of npm.`);
  if (!installed) return false;
  return Object.entries(wanted).every(([name, entry]) => {
    if (name === '') return true;
    const found = installed[name];
    if (!found) return entry.optional === true;
    return found.version === entry.version && found.integrity === entry.integrity;
  });
}

const isObject = value => typeof value === 'object' && value !== null && !Array.isArray(value);

function readPackages(file) {
  try {
    const { packages } = JSON.parse(readFileSync(file, 'utf8'));
    return isObject(packages) && Object.values(packages).every(isObject) ? packages : undefined;
  } catch {
    return undefined;
  }
}

/** The lowest Node of `engines` in package.json, as `[major, minor]`, when the running one is older. */
function nodeTooOld(root) {
  const { engines } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const [major, minor] = engines.node.replace('>=', '').split('.').map(Number);
  const [m, n] = process.versions.node.split('.').map(Number);
  return m > major || (m === major && n >= minor) ? undefined : `${major}.${minor}`;
}

/** npm's cache, where it cannot be written: a home may be read-only, or absent. */
function barredCache(root) {
  const cache = spawnSync('npm', ['config', 'get', 'cache'], { cwd: root, encoding: 'utf8' }).stdout?.trim();
  if (!cache) return undefined;
  let existing = path.resolve(root, cache);
  while (!existsSync(existing)) existing = path.dirname(existing);
  try {
    accessSync(existing, constants.W_OK);
    return undefined;
  } catch {
    return cache;
  }
}

/** Runs `work` with the environment that npm gets. */
async function withNpmCache(root, work) {
  const barred = barredCache(root);
  if (barred === undefined) return work(process.env);
  console.log(`npm cannot write to its cache ${barred}: it gets a temporary one.`);
  const cache = mkdtempSync(path.join(os.tmpdir(), 'npm-cache-'));
  try {
    return await work({ ...process.env, npm_config_cache: cache });
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
}

/** @returns {Promise<{ code: number, said: string }>} */
function npmCi(root, env) {
  return new Promise(resolve => {
    // npm ci deletes node_modules first: what an interrupted install left behind cannot do harm.
    const npm = spawn('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root, env, stdio: ['inherit', 'inherit', 'pipe'] });
    let said = '';
    npm.stderr.on('data', text => {
      said += text;
      process.stderr.write(text);
    });
    npm.on('error', () => resolve({ code: 127, said }));
    npm.on('close', (code, signal) => resolve({ code: code ?? 128 + os.constants.signals[signal], said }));
  });
}

const UNREACHED = ['ENOTFOUND', 'ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EAI_AGAIN', 'ENETUNREACH', 'EHOSTUNREACH', 'ERR_SOCKET_TIMEOUT', 'ERR_INVALID_URL'];
const REFUSED = ['E401', 'E403', 'E404', 'ETARGET', 'ENOVERSIONS'];

/** What to do about a failure of npm, which has said more above. */
function npmMend({ code, said }) {
  if (code === 127) return 'Expected npm on the PATH. Install it (it comes with Node; on Debian: sudo apt-get install npm), then run `make setup` again.';
  const cause = /^npm (?:error|ERR!) code (\S+)/m.exec(said)?.[1] ?? `exit code ${code}`;
  if (UNREACHED.includes(cause)) return `npm cannot reach its registry (${cause}). Check the network, or the mirror (npm config get registry), then run \`make setup\` again.`;
  if (REFUSED.includes(cause)) return `npm's registry does not give what package-lock.json asks for (${cause}). Check the mirror (npm config get registry), then run \`make setup\` again.`;
  if (cause === 'ENOSPC' || cause === 'EDQUOT') return 'npm found no space left on the disk. Free some space (about 700 MB), then run `make setup` again.';
  if (['EACCES', 'EPERM', 'EROFS'].includes(cause)) return 'npm may not write where its message above says. Run `make setup` as the owner of this folder, or in a copy of it that you may write to.';
  return `npm ci failed (${cause}); its message stands above. Once the cause is gone (network, registry, disk), run \`make setup\` again.`;
}

/** Installs the packages if needed. Returns the exit code. */
async function main(root) {
  const wanted = nodeTooOld(root);
  if (wanted) {
    console.error(`error Expected Node ${wanted} or newer, got ${process.versions.node}. Install a newer Node (the LTS release will do).`);
    return 1;
  }
  if (packagesInstalled(root)) return 0;
  return withLock(lockFile('setup', root), console.error, async () => {
    if (packagesInstalled(root)) return 0; // another set-up may have done it meanwhile
    console.log('Installing the npm packages (about 440, npm ci) ...');
    const npm = await withNpmCache(root, env => npmCi(root, env));
    if (npm.code !== 0) console.error(`error ${npmMend(npm)}`);
    return npm.code;
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    process.exitCode = await main(fileURLToPath(new URL('../..', import.meta.url)));
  } catch (error) {
    if (process.env.ABLATE_DEBUG) throw error;
    const mend = error.path === undefined ? '' : ' Name a folder for temporary files: export TMPDIR=/path/to/folder';
    console.error(`error ${error.path === undefined ? `${error.message} (unexpected; ABLATE_DEBUG=1 shows where)` : `Expected to be able to write ${error.path}, got: ${error.message}.`}${mend}`);
    process.exitCode = 1;
  }
}
