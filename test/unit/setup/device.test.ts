/** Which GPUs count, with a driver's tool and a driver's library that are run for real. */
import { rmSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { defaultDevices, parseDevices, placeEnvironment } from '../../../src/core/runner/devices.ts';
import { gpusForSweep, idleGpuText, wantedDevice } from '../../../src/setup/device.ts';
import { visibleGpus } from '../../../src/setup/gpus.ts';
import { cudaDriver, driverTool, GPUS, has, openFolder, SPLIT } from '../../surroundings/machine.ts';

let folder: string;
const machine = (lines: readonly string[], library: Parameters<typeof cudaDriver>[1] = {}): void => {
  vi.stubEnv('PATH', `${driverTool(folder, lines)}:${process.env['PATH']!}`);
  vi.stubEnv('LD_LIBRARY_PATH', cudaDriver(folder, library));
};

beforeAll(() => {
  folder = openFolder('driver');
});
afterEach(() => {
  vi.unstubAllEnvs();
});
afterAll(() => rmSync(folder, { recursive: true }));

// To ask the driver's library takes Linux with Python and a compiler; machines that train have both.
describe.skipIf(process.platform !== 'linux' || !has('c++') || !has('python3'))('wantedDevice', () => {
  it('takes every GPU that the driver lists, and none where the CPU was asked for', async () => {
    machine(GPUS);
    expect(await wantedDevice({})).toMatchObject({ device: 'gpu', gpus: [0, 1] });
    expect(await wantedDevice({ TINYMIM_DEVICE: 'cpu' })).toEqual({ device: 'cpu', why: 'TINYMIM_DEVICE=cpu', gpus: [] });
  });

  it('takes parts of a split GPU by their uuids, and one alone where CUDA_VISIBLE_DEVICES names it', async () => {
    machine(SPLIT);
    expect(await wantedDevice({})).toMatchObject({ device: 'gpu', gpus: ['MIG-a1', 'MIG-GPU-1a/2/0', 1], why: expect.stringMatching(/^MIG 3g\.40gb of NVIDIA H100 80GB HBM3, /) as string });
    const one = await wantedDevice({ CUDA_VISIBLE_DEVICES: 'MIG-GPU-1a/2/0' });
    expect(one).toMatchObject({ device: 'gpu', gpus: ['MIG-GPU-1a/2/0'] });
    const places = parseDevices(defaultDevices(gpusForSweep(one)));
    expect(places.map(place => [place.name, placeEnvironment(place)['CUDA_VISIBLE_DEVICES']])).toEqual([['gpu:MIG-GPU-1a_2_0', 'MIG-GPU-1a/2/0']]);
    for (const [named, expected] of [
      ['0', ['MIG-a1']], // as CUDA takes it
      ['GPU-1a', ['MIG-a1']],
      ['1,MIG-a1', [1, 'MIG-a1']],
      ['MIG-none', []],
    ] as const)
      expect((await wantedDevice({ CUDA_VISIBLE_DEVICES: named })).gpus, named).toEqual(expected);
  });

  it('leaves to others what CUDA_VISIBLE_DEVICES hides, without a word', async () => {
    machine(GPUS);
    expect(await wantedDevice({ CUDA_VISIBLE_DEVICES: '1' })).toMatchObject({ device: 'gpu', gpus: [1] });
    for (const hidden of ['', '-1', 'NoDevFiles']) {
      const choice = await wantedDevice({ CUDA_VISIBLE_DEVICES: hidden });
      expect(choice).toMatchObject({ device: 'cpu', gpus: [], why: expect.stringContaining(`CUDA_VISIBLE_DEVICES=${hidden} hides NVIDIA H100`) as string });
      expect(idleGpuText(choice)).toBeUndefined();
    }
  });

  it.each([
    ['the driver does not start', { init: 100 }, 'cuInit answers CUDA_ERROR_NO_DEVICE'],
    ['the container was given none', { gpus: 0 }, 'CUDA sees none'],
    ['the driver is too old', { cuda: 11_040 }, 'its driver knows CUDA 11.4, the library needs 12.0'],
  ])('goes on with the CPU, and says so, where %s', async (_, library, reason) => {
    machine(GPUS, library);
    const choice = await wantedDevice({});
    expect(choice).toMatchObject({ device: 'cpu', gpus: [] });
    expect(idleGpuText(choice)).toContain(`NVIDIA H100 80GB HBM3 cannot be used: ${reason}. Going on with the CPU.`);
    expect(idleGpuText(choice)).toContain('TINYMIM_DEVICE=cpu');
    expect(gpusForSweep(choice)).toEqual([]);
  });

  it('says so where CUDA_VISIBLE_DEVICES names no GPU of this machine', async () => {
    machine(GPUS);
    expect(idleGpuText(await wantedDevice({ CUDA_VISIBLE_DEVICES: '7' }))).toContain('CUDA_VISIBLE_DEVICES=7 names none of NVIDIA H100');
  });

  it('refuses a sweep without the GPU that was asked for', async () => {
    machine(['No devices found.']);
    expect(gpusForSweep(await wantedDevice({}))).toEqual([]);
    const none = await wantedDevice({ TINYMIM_DEVICE: 'gpu' });
    expect(() => gpusForSweep(none)).toThrow('Expected an NVIDIA GPU (TINYMIM_DEVICE=gpu), got none.');
    machine(GPUS, { init: 100 });
    const unusable = await wantedDevice({ TINYMIM_DEVICE: 'gpu' });
    expect(unusable.device).toBe('gpu'); // the image of a container may be made without one
    expect(() => gpusForSweep(unusable)).toThrow(/got none that can be used: NVIDIA H100 .* cuInit answers/);
  });
});

describe('visibleGpus', () => {
  const gpus = [
    { index: 0, name: 'a', uuid: 'GPU-1a' },
    { index: 1, name: 'b', uuid: 'GPU-2b' },
  ];

  it.each([
    [undefined, [0, 1]],
    ['', []],
    ['-1', []],
    ['1,0', [1, 0]],
    [' 1 ', [1]],
    ['GPU-2', [1]],
    ['0,5,1', [0]],
    ['0,-1,1', [0]],
    ['GPU-9', []],
  ])('of %s', (visible, expected) => {
    expect(visibleGpus(gpus, visible).map(gpu => gpu.index)).toEqual(expected);
  });
});
