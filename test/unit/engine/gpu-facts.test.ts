/** What is recorded of a GPU, from a driver's tool that is run for real and from libraries as a process has mapped them. */
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { gpuFacts } from '../../../src/engine/backends/gpu-facts.ts';
import { describedCards, visibleCard } from '../../../src/engine/cards.ts';
import { cardLine, driverTool, openFolder, SPLIT } from '../../surroundings/machine.ts';

let folder: string;
const driver = (cards: readonly string[], lines?: readonly string[]): void => {
  vi.stubEnv('PATH', `${driverTool(folder, lines, cards)}:${process.env['PATH']!}`);
};
const CARDS = [cardLine(0, 81_559), '1, NVIDIA A10, GPU-2b, 570.86.15, 23028, 8.6'];

beforeAll(() => {
  folder = openFolder('facts');
});
afterEach(() => {
  vi.unstubAllEnvs();
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** A file that names these as mapped, as /proc/self/maps does. */
function maps(...files: readonly string[]): string {
  const path = join(folder, 'maps');
  writeFileSync(path, ['7f00-7f01 rw-p 00000000 00:00 0 ', ...files.map(file => `7f00-7f01 r-xp 00000000 08:01 42                         ${file}`), ''].join('\n'));
  return path;
}

/** A library in a folder; empty. */
function library(...path: readonly string[]): string {
  const file = join(folder, ...path);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, '');
  return file;
}

describe('the card', () => {
  it('is the one that the process sees, by index, by uuid, or as the whole of a part', async () => {
    driver(CARDS, SPLIT);
    const names = await Promise.all(['0', '1', 'GPU-2b', 'MIG-a1', 'MIG-none', undefined].map(async visible => (await visibleCard(visible))?.name));
    expect(names).toEqual(['NVIDIA H100 80GB HBM3', 'NVIDIA A10', 'NVIDIA A10', 'NVIDIA H100 80GB HBM3', undefined, 'NVIDIA H100 80GB HBM3']);
    expect((await describedCards())[1]).toEqual({ index: 1, name: 'NVIDIA A10', uuid: 'GPU-2b', driver: '570.86.15', memory: 23_028 * 2 ** 20, computeCapability: 8.6 });
  });

  it.each([
    ['there is no tool', undefined],
    ['the tool finds no driver', ["NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."]],
    ['the tool says something else', ['Field "compute_cap" is not a valid field to query.']],
  ])('is not known where %s', async (_, lines) => {
    if (lines) driver(lines.map(line => line.replace("'", '')));
    else vi.stubEnv('PATH', join(folder, 'empty'));
    expect(await describedCards()).toEqual([]);
    expect(await gpuFacts('0', maps())).toEqual({ card: 'unknown', driver: 'unknown', cuda: 'unknown', cublas: 'unknown', cudnn: 'unknown' });
  });
});

describe('versions of the libraries', () => {
  it('are those of the wheels that set-up unpacked, as its manifest names them', async () => {
    driver(CARDS);
    const files = [
      library('cache', 'nvidia', 'cuda_runtime', 'lib', 'libcudart.so.12'),
      library('cache', 'nvidia', 'cublas', 'lib', 'libcublas.so.12'),
      library('cache', 'nvidia', 'cudnn', 'lib', 'libcudnn.so.9'),
    ];
    const wheels = [
      'nvidia_cublas_cu12-12.9.3.13-py3-none-manylinux_2_27_x86_64.whl',
      'nvidia_cuda_runtime_cu12-12.9.79-py3-none-manylinux2014_x86_64.whl',
      'nvidia_cudnn_cu12-9.28.0.42-py3-none-manylinux_2_27_x86_64.whl',
    ];
    writeFileSync(join(folder, 'cache', 'manifest.json'), JSON.stringify({ wheels, files: {} }));
    expect(await gpuFacts('1', maps(...files))).toEqual({ card: 'NVIDIA A10', driver: '570.86.15', cuda: '12.9.79', cublas: '12.9.3.13', cudnn: '9.28.0.42', computeCapability: 8.6 });
  });

  it('are those that pip installed, or that the names of the files of a system have', async () => {
    driver(CARDS);
    mkdirSync(join(folder, 'site-packages', 'nvidia_cublas_cu12-12.5.3.2.dist-info'), { recursive: true });
    const real = library('usr', 'lib', 'libcudnn.so.9.1.0'),
      link = join(folder, 'usr', 'lib', 'libcudnn.so.9');
    symlinkSync(real, link);
    expect(await gpuFacts('0', maps(library('site-packages', 'nvidia', 'cublas', 'lib', 'libcublas.so.12'), link))).toMatchObject({ cuda: 'unknown', cublas: '12.5.3.2', cudnn: '9.1.0' });
  });
});
