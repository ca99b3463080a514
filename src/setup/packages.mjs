/**
 * First step of every set-up: the npm packages. Runs before any package is there, so it is plain JavaScript without imports
 * from outside. Silent when there is nothing to do.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { withLock } from './lock.mjs';

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

function npmCi(root) {
  return new Promise(resolve => {
    // npm ci deletes node_modules first: what an interrupted install left behind cannot do harm.
    const npm = spawn('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root, stdio: 'inherit' });
    npm.on('error', () => resolve(127));
    npm.on('close', (code, signal) => resolve(code ?? 128 + os.constants.signals[signal]));
  });
}

/** Installs the packages if needed. Returns the exit code. */
async function main(root) {
  const wanted = nodeTooOld(root);
  if (wanted) {
    console.error(`error Expected Node ${wanted} or newer, got ${process.versions.node}. Install a newer Node (the LTS release will do).`);
    return 1;
  }
  const name = `tinymim-setup-${os.userInfo().uid}-${createHash('sha256').update(root).digest('hex').slice(0, 16)}.lock`;
  return withLock(path.join(os.tmpdir(), name), console.error, async () => {
    if (packagesInstalled(root)) return 0;
    console.log('Installing the npm packages (about 410, npm ci) ...');
    const code = await npmCi(root);
    if (code === 127) console.error('error Expected npm on the PATH. Install it (it comes with Node; on Debian: sudo apt-get install npm).');
    else if (code !== 0) console.error('error npm ci failed; its message stands above. Once the cause is gone (network, registry, disk), run `make setup` again.');
    return code;
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.exitCode = await main(fileURLToPath(new URL('../..', import.meta.url)));
}
