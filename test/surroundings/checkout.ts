/** A checkout of its own with everything around it: folder, home, cache. What runs there cannot touch this one. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';
import { cacheDir, dataDir } from '../../src/setup/cache.ts';
import { openFolder, ROOT } from './machine.ts';

export interface Result {
  readonly exitCode: number | undefined;
  readonly all: string;
}

export interface Running {
  readonly ended: Promise<Result>;
  /** Ends it with all that it has started, at one instant. */
  kill(): void;
}

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Words before the command. */
  readonly prefix?: readonly string[];
}

const TOY = '--experiments test/e2e/experiments --profile toy --only tiny';
const SMOKE = '--profile smoke --only masking';

export class Checkout {
  /** Of everything. */
  readonly folder: string;
  readonly root: string;
  readonly home: string;
  cache: string;

  /** @param name of the checkout's folder */
  constructor(name = 'checkout', { packages = true }: { readonly packages?: boolean } = {}) {
    this.folder = openFolder('surroundings');
    this.root = path.join(this.folder, name);
    this.home = path.join(this.folder, 'home');
    this.cache = path.join(this.folder, `cache of ${name}`);
    for (const folder of [this.root, this.home]) mkdirSync(folder, { recursive: true });
    copyTree(this.root);
    copy(path.join(dataDir(), 'fashion-mnist'), path.join(this.folder, 'fashion-mnist'));
    if (packages) copyPackages(this.root);
  }

  /** What pip and npm are told by the user's own files. */
  configure({ index, registry }: { readonly index?: string; readonly registry?: string }): void {
    mkdirSync(path.join(this.home, '.config', 'pip'), { recursive: true });
    if (index !== undefined) writeFileSync(path.join(this.home, '.config', 'pip', 'pip.conf'), `[global]\nindex-url = ${index}/simple\nretries = 0\n`);
    if (registry !== undefined) writeFileSync(path.join(this.home, '.npmrc'), `registry=${registry}\nfetch-retries=0\n`);
  }

  /** The library and the binding that this machine has already, so that only what comes after them is tried. */
  provisionCache(): void {
    mkdirSync(this.cache, { recursive: true });
    for (const name of ['libraries', 'bindings']) copy(path.join(cacheDir(), name), path.join(this.cache, name));
  }

  start(command: string, { env = {}, prefix = [] }: RunOptions = {}): Running {
    const [file, ...words] = [...prefix, 'sh', '-c', command];
    const child = execa(file, words, {
      cwd: this.root,
      all: true,
      reject: false,
      stdin: 'ignore',
      detached: true, // a group of its own, which can be killed whole
      env: { ...clean(), HOME: this.home, TINYMIM_CACHE: this.cache, FASHION_MNIST_DIR: path.join(this.folder, 'fashion-mnist'), ...env },
    });
    return {
      ended: child.then(({ exitCode, all }) => ({ exitCode, all })),
      kill: () => process.kill(-child.pid!, 'SIGKILL'),
    };
  }

  run = (command: string, options?: RunOptions): Promise<Result> => this.start(command, options).ended;

  make = (target: string, options?: RunOptions): Promise<Result> => this.run(`make --no-print-directory ${target}`, options);
  ablate = (words: string, options?: RunOptions): Promise<Result> => this.run(`node src/cli/ablate.mjs ${words}`, options);
  /** A sweep on procedural images. */
  toy = (more = '', options?: RunOptions): Promise<Result> => this.ablate(`sweep ${TOY} ${more}`, options);
  /** The whole `make sweep`, on Fashion-MNIST. */
  smoke = (options?: RunOptions): Promise<Result> => this.make(`sweep ARGS="${SMOKE}"`, options);

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Nothing of this session's own configuration of pip, npm and set-up. */
const clean = (): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(
    Object.keys(process.env)
      .filter(name => /^(?:npm_|PIP_(?!CERT)|TINYMIM_|XDG_)/i.test(name))
      .map(name => [name, undefined]),
  ),
  NO_COLOR: '1',
  CI: undefined,
  CXX: undefined,
  ENGINE: undefined,
  ARGS: undefined,
  MAKEFLAGS: undefined,
  MAKELEVEL: undefined,
});

/** Tracked and new files, as they are now. */
function copyTree(to: string): void {
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], { cwd: ROOT, encoding: 'utf8' });
  const files = listed.split('\0').filter(name => name !== '' && existsSync(path.join(ROOT, name)) && !name.startsWith('reports/'));
  execFileSync('cp', ['--parents', '-t', to, ...files], { cwd: ROOT });
  execFileSync('chmod', ['-R', 'a+rX', to]);
}

/** As `npm ci` leaves them. */
function copyPackages(to: string): void {
  const folder = path.join(to, 'node_modules');
  copy(path.join(ROOT, 'node_modules'), folder);
  const native = path.join(folder, '@tensorflow/tfjs-node-gpu'),
    wasm = path.join(folder, '@tensorflow/tfjs-backend-wasm');
  for (const name of [path.join(native, 'deps'), path.join(native, 'lib'), path.join(wasm, 'proof.txt')]) rmSync(name, { recursive: true, force: true });
}

/** By hard links where that can be: nothing here writes into a file of another. */
function copy(from: string, to: string): void {
  try {
    execFileSync('cp', ['-al', from, to], { stdio: 'ignore' });
  } catch {
    rmSync(to, { recursive: true, force: true });
    execFileSync('cp', ['-a', from, to]);
  }
}
