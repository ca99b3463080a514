/** On which card, driver and libraries a GPU computes: last digits depend on them. */
import { readFileSync, realpathSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { visibleCard } from '../cards.ts';
import type { GpuFacts } from '../engine.ts';

/** Of libraries: the start of their file's name, and of the Python package that has them. */
const LIBRARIES = { cuda: ['libcudart.so', 'nvidia_cuda_runtime'], cublas: ['libcublas.so', 'nvidia_cublas'], cudnn: ['libcudnn.so', 'nvidia_cudnn'] } as const;

const UNKNOWN = 'unknown';

/** Of this process, whose libraries are loaded. What neither driver nor files tell is `unknown`. */
export async function gpuFacts(visible = process.env['CUDA_VISIBLE_DEVICES'], maps = '/proc/self/maps'): Promise<GpuFacts> {
  const card = await visibleCard(visible);
  const loaded = mappedFiles(maps);
  const version = ([file, name]: readonly [string, string]): Promise<string> =>
    versionOf(
      loaded.find(path => basename(path).startsWith(file)),
      name,
    );
  return {
    card: card?.name ?? UNKNOWN,
    driver: card?.driver ?? UNKNOWN,
    cuda: await version(LIBRARIES.cuda),
    cublas: await version(LIBRARIES.cublas),
    cudnn: await version(LIBRARIES.cudnn),
    ...(card?.computeCapability !== undefined && { computeCapability: card.computeCapability }),
  };
}

/** Files that are part of the memory of the process. */
function mappedFiles(maps: string): string[] {
  try {
    return [
      ...new Set(
        readFileSync(maps, 'utf8')
          .split('\n')
          .flatMap(line => /\s(\/.+)$/.exec(line)?.[1] ?? []),
      ),
    ];
  } catch {
    return []; // not Linux
  }
}

/** Of its wheel, as set-up or pip unpacked it; else what its file is called: `libcublas.so.12.9.3` of a system, whose links are followed. */
async function versionOf(file: string | undefined, name: string): Promise<string> {
  if (file === undefined) return UNKNOWN;
  return (await wheelVersion(file, name)) ?? /\.so\.([\d.]+)$/.exec(realPath(file))?.[1] ?? UNKNOWN;
}

function realPath(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}

/** `<folder>/nvidia/cublas/lib/libcublas.so.12`: the folder has set-up's manifest, which names the wheels, or pip's `nvidia_cublas_cu12-12.9.3.dist-info`. */
async function wheelVersion(file: string, name: string): Promise<string | undefined> {
  const folder = dirname(dirname(dirname(dirname(file))));
  const named = new RegExp(`^${name}(?:_cu\\d+)?-([\\d.]+)[-.]`);
  const entries = await readdir(folder).catch(() => []);
  const wheels = await readFile(join(folder, 'manifest.json'), 'utf8').then(
    text => (JSON.parse(text) as { wheels?: unknown }).wheels,
    () => [],
  );
  const names = [...(Array.isArray(wheels) ? (wheels as unknown[]) : []), ...entries.filter(entry => entry.endsWith('.dist-info'))];
  return names
    .map(entry => (typeof entry === 'string' ? named.exec(entry)?.[1] : undefined))
    .find(version => version !== undefined)
    ?.replace(/\.$/, '');
}
