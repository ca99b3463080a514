/** Engines in processes of their own: one is loaded once per process, with the environment it starts with. */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ALLOW_TYPESCRIPT } from './typescript.ts';

const root = join(import.meta.dirname, '../..');
const require = createRequire(import.meta.url);

export interface Child {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs TypeScript; its paths begin at `cwd`. */
export function runChild(code: string, cwd = root, more: Readonly<Record<string, string>> = {}): Promise<Child> {
  const env: NodeJS.ProcessEnv = { ...process.env, ...more };
  delete env['TF_CPP_MIN_LOG_LEVEL']; // as in a person's shell
  return new Promise(resolve => {
    execFile(process.execPath, ['--import', ALLOW_TYPESCRIPT, '--input-type=module', '--eval', code], { cwd, env }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

/** Ends a statement that may fail: prints what was thrown. */
export const reportError = `.then(() => { console.log('loaded'); }, e => { console.log(JSON.stringify({ name: e.name, code: e.code, message: e.message })); })`;

/** Folder of an installed package. */
export const packageFolder = (name: string): string => dirname(require.resolve(`${name}/package.json`));

/**
 * A copy of the tensor code in a folder of its own, with all packages linked but one, of which some parts are copied.
 * @param prefix of the folder's name
 */
export function copyProject(prefix: string, name: string, parts: readonly string[]): string {
  const project = realpathSync(mkdtempSync(join(tmpdir(), prefix)));
  cpSync(join(root, 'src/engine'), join(project, 'src/engine'), { recursive: true });
  cpSync(join(root, 'src/installation.ts'), join(project, 'src/installation.ts'));
  writeFileSync(join(project, 'package-lock.json'), '{}'); // as in a checkout
  writeFileSync(join(project, 'package.json'), '{"type":"module"}');
  const modules = join(root, 'node_modules'),
    [scope = '', own = ''] = name.split('/');
  mkdirSync(join(project, 'node_modules', scope), { recursive: true });
  const link = (folder: string, except: string): void => {
    for (const entry of readdirSync(join(modules, folder)).filter(entry => entry !== except)) {
      symlinkSync(join(modules, folder, entry), join(project, 'node_modules', folder, entry));
    }
  };
  link('', scope);
  link(scope, own);
  for (const part of ['package.json', ...parts]) cpSync(join(packageFolder(name), part), join(project, 'node_modules', name, part), { recursive: true });
  return project;
}
