/** Where PyTorch is, for tests that are left out where it is not. */
import { readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { cacheDir } from '../../src/setup/cache.ts';
import { importTorch, type PyTorch } from '../bench/race/pytorch.ts';

/** Of `python3`, by itself or with the packages that the race of steps has put into the cache; or why there is none. */
export async function pytorchHere(): Promise<PyTorch | { failure: string }> {
  const cached = join(cacheDir({ HOME: homedir(), ...process.env }), 'pytorch');
  const folders = ((): string[] => {
    try {
      return readdirSync(cached).map(name => join(cached, name));
    } catch {
      return [];
    }
  })();
  const tried = await Promise.all([{}, ...folders.map(path => ({ PYTHONPATH: path }))].map(env => importTorch('python3', env)));
  return tried.find(found => 'version' in found) ?? tried[0]!;
}
