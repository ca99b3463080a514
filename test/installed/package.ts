/** This package as npm packs it, installed in a folder of somebody else. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * As `make pack` does.
 * @param checkout whose packages are installed
 * @returns path of the tarball in `folder`
 */
export async function pack(checkout: string, folder: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  mkdirSync(folder, { recursive: true });
  await execa('npm', ['pack', '--ignore-scripts=false', '--pack-destination', folder], { cwd: checkout, env, all: true, stdin: 'ignore' });
  const tarballs = readdirSync(folder).filter(name => name.endsWith('.tgz'));
  if (tarballs.length !== 1) throw new Error(`Expected one tarball in ${folder}, got ${tarballs.length}.`);
  return join(folder, tarballs[0]!);
}

/**
 * What a person does in an empty folder. Packages that npm has in its cache are not asked for again.
 * @returns what npm printed
 */
export async function install(tarball: string, folder: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  mkdirSync(folder, { recursive: true });
  // Else npm would look for a project further up.
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  const { all } = await execa('npm', ['install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', tarball], { cwd: folder, env, all: true, stdin: 'ignore' });
  return all;
}

/** What npm warns of, but for settings of this machine that it does not know. */
export const npmWarnings = (said: string): string[] => said.split('\n').filter(line => /\bwarn/i.test(line) && !/Unknown (?:user|env|global|builtin) config/.test(line));

/** Folder of the installed package. */
export const packageFolder = (folder: string): string => join(folder, 'node_modules', 'tinymim-ablations');

/** Compiler options of somebody who wants to know all, libraries included. */
const STRICT = {
  target: 'ES2023',
  types: [],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noPropertyAccessFromIndexSignature: true,
  verbatimModuleSyntax: true,
  isolatedModules: true,
  skipLibCheck: false,
  allowImportingTsExtensions: true,
  noEmit: true,
};

export const MODULES = {
  nodenext: { module: 'NodeNext', moduleResolution: 'NodeNext' },
  bundler: { module: 'ESNext', moduleResolution: 'Bundler' },
} as const;

/**
 * Type-checks `files` of `folder` with the TypeScript of `checkout`.
 * @returns what the compiler says: nothing when all is well
 */
export async function typeErrors(folder: string, files: readonly string[], modules: keyof typeof MODULES, checkout = ROOT): Promise<string> {
  const config = join(folder, `tsconfig.${modules}.json`);
  writeFileSync(config, JSON.stringify({ compilerOptions: { ...STRICT, ...MODULES[modules] }, include: files }));
  const { stdout } = await execa(process.execPath, [join(checkout, 'node_modules/typescript/bin/tsc'), '--pretty', 'false', '-p', config], { cwd: folder, reject: false, stdin: 'ignore' });
  return stdout;
}
