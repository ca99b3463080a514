/**
 * `make smoke-slurm`: the smallest sweep of the real study, on the native engine, as jobs of a private cluster; its report must have the bytes of
 * that of a local sweep, but for the file that says where and when it was made.
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { temporaryFolder } from '../toy/sweep.ts';
import { startCluster } from './cluster.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PROFILE = 'smoke';
const room = temporaryFolder('smoke-slurm');

/** @returns folder of the report */
async function sweep(name: string, env: Readonly<Record<string, string>>, ...words: readonly string[]): Promise<string> {
  const reports = join(room, `${name}-reports`);
  const line = ['src/cli/ablate.mjs', 'sweep', '--profile', PROFILE, '--store', join(room, name), '--reports', reports, ...words];
  await execa(process.execPath, line, { cwd: ROOT, env, stdio: 'inherit' });
  return join(reports, PROFILE);
}

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap(entry => (entry.isFile() ? [join(entry.parentPath, entry.name).slice(folder.length + 1)] : []));

function differences(one: string, other: string): string[] {
  const names = new Set([...filesIn(one), ...filesIn(other)]);
  names.delete('provenance.json');
  return [...names].filter(name => textOf(join(one, name)) !== textOf(join(other, name))).sort();
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return undefined;
  }
}

const cluster = await startCluster({ memoryPerNode: 16_000 });
process.on('SIGINT', () => void cluster.stop().then(() => process.exit(130)));
try {
  const bySlurm = await sweep('slurm', cluster.env, '--executor', 'slurm', '--jobs', '2');
  const local = await sweep('local', {}, '--devices', 'cpu:2x1');
  const found = differences(bySlurm, local);
  console.log(
    found.length === 0
      ? `\nThe two reports (${filesIn(local).length} files) have the same bytes.`
      : `\nExpected reports of the same bytes, got others in ${found.join(', ')}; they are kept in ${room}.`,
  );
  process.exitCode = found.length === 0 ? 0 : 1;
  if (found.length === 0) rmSync(room, { recursive: true, force: true });
} finally {
  await cluster.stop();
}
