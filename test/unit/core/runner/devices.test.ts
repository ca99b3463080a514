import { describe, expect, test } from 'vitest';
import { devicesText, placeNamed } from '../../../../src/core/inspect/places.ts';
import { defaultDevices, memoryLimits, parseDevices, placeEnvironment } from '../../../../src/core/runner/devices.ts';

test('defaultDevices: all GPUs, else all cores', () => {
  expect(defaultDevices([0, 1, 3])).toBe('gpu:0,1,3');
  expect(defaultDevices([])).toMatch(/^cpu:\d+x1$/);
});

describe('parseDevices', () => {
  test('cpu:<workers>x<threads>', () => {
    expect(parseDevices('cpu:2x3')).toEqual([
      { name: 'cpu:0', device: 'cpu', threads: 3 },
      { name: 'cpu:1', device: 'cpu', threads: 3 },
    ]);
  });

  test('gpu:<index>,... shares the cores', () => {
    expect(parseDevices('gpu:0,3', 16)).toEqual([
      { name: 'gpu:0', device: 'gpu', threads: 8, gpu: 0 },
      { name: 'gpu:3', device: 'gpu', threads: 8, gpu: 3 },
    ]);
    expect(parseDevices('gpu:0,1,2', 2).map(p => p.threads)).toEqual([1, 1, 1]);
  });

  test('both, GPUs first: they take the longest stages', () => {
    expect(parseDevices('cpu:1x2, gpu:1').map(p => p.name)).toEqual(['gpu:1', 'cpu:0']);
  });

  test('gpu:<index>x<workers>: several on one GPU, which see that one alone', () => {
    const places = parseDevices('gpu:0x2,3,cpu:1x1', 8);
    expect(places.map(p => [p.name, p.gpu, p.threads])).toEqual([
      ['gpu:0.0', 0, 2],
      ['gpu:0.1', 0, 2],
      ['gpu:3', 3, 2],
      ['cpu:0', undefined, 1],
    ]);
    for (const place of places.slice(0, 2)) expect(placeEnvironment(place)).toMatchObject({ CUDA_VISIBLE_DEVICES: '0' });
  });

  test('gpu:<uuid>: a part of a split GPU, or a GPU by its uuid', () => {
    const places = parseDevices('gpu:0,MIG-5a-bx2,MIG-GPU-1c/2/0,gpu:GPU-9', 8);
    expect(places.map(p => [p.name, placeEnvironment(p)['CUDA_VISIBLE_DEVICES']])).toEqual([
      ['gpu:0', '0'],
      ['gpu:MIG-5a-b.0', 'MIG-5a-b'],
      ['gpu:MIG-5a-b.1', 'MIG-5a-b'],
      ['gpu:MIG-GPU-1c_2_0', 'MIG-GPU-1c/2/0'],
      ['gpu:GPU-9', 'GPU-9'],
    ]);
    const seen = places.map(place => placeNamed(place.name, place.threads));
    // How many share a GPU is not in a name.
    expect(seen).toEqual(places.map(({ name, device, threads, gpu }) => ({ name, device, threads, gpu })));
    expect(parseDevices(devicesText(seen), 8).map(p => p.name)).toEqual(['gpu:0', 'gpu:GPU-9', 'gpu:MIG-5a-b.0', 'gpu:MIG-5a-b.1', 'gpu:MIG-GPU-1c_2_0']);
  });

  test('inline: this process, with the thread of a CPU worker', () => {
    expect(parseDevices(' inline ')).toEqual([{ name: 'inline', device: 'cpu', threads: 1 }]);
  });

  test.each([
    'inline,cpu:1x1',
    'inline:2',
    '',
    'cpu',
    'cpu:2',
    'cpu:0x1',
    'cpu:2x0',
    '0,1',
    'gpu:0,0',
    'gpu:',
    'gpu:0x0',
    'gpu:MIG-',
    'gpu:MIG-a,MIG-a',
    'cpu:MIG-a',
    'cpu:MIG-ax1',
    'MIG-a',
    'gpu:0x2,0',
    'tpu:0',
    'cpu:1x1,2x1',
    'cpu:1x1,2',
  ])('refuses %j', list => {
    expect(() => parseDevices(list)).toThrow(/^--devices: expected 'cpu:<workers>x<threads>'/);
  });
});

describe('placeEnvironment', () => {
  test('a GPU worker sees its GPU alone, a CPU worker none', () => {
    expect(placeEnvironment(parseDevices('gpu:5', 4)[0]!)).toMatchObject({ CUDA_VISIBLE_DEVICES: '5', OMP_NUM_THREADS: '4' });
    expect(placeEnvironment(parseDevices('cpu:1x2')[0]!)).toMatchObject({ CUDA_VISIBLE_DEVICES: '-1', OMP_NUM_THREADS: '2' });
  });

  test('several workers on a GPU may each allocate their part of its memory; one alone, and the CPU, are not told any', () => {
    const fractions = (list: string) => parseDevices(list, 8).map(place => placeEnvironment(place)['TINYMIM_GPU_MEMORY_FRACTION']);
    expect(fractions('gpu:0x2,1,cpu:1x1')).toEqual(['0.45', '0.45', undefined, undefined]);
    const seven = fractions('gpu:MIG-5ax7').map(Number);
    expect(new Set(seven)).toEqual(new Set([0.128]));
    expect(seven.reduce((a, b) => a + b)).toBeLessThanOrEqual(0.9);
  });
});

describe('memoryLimits', () => {
  const CARD = 80e9;
  const limits = (list: string, memoryOf: (gpu: number | string) => number | undefined = () => CARD) => memoryLimits(parseDevices(list, 8, memoryOf));
  const host = memoryLimits(parseDevices('cpu:1x1')).pack;

  test("are those of the card, divided by the workers on it, and not the machine's", () => {
    expect(limits('gpu:0')).toEqual({ pack: 0.85 * CARD, card: 0.85 * CARD });
    expect(limits('gpu:0x2,1')).toEqual({ pack: (0.85 * CARD) / 2, card: (0.85 * CARD) / 2 });
    expect(limits('gpu:0,1', gpu => (gpu === 0 ? CARD : 24e9))).toEqual({ pack: 0.85 * 24e9, card: 0.85 * 24e9 });
  });

  test('of workers on the CPU are a part of the memory of the machine', () => {
    expect(host).toBeGreaterThan(0);
    expect(limits('cpu:2x1')).toEqual({ pack: host / 2 });
    expect(limits('gpu:0,cpu:1x1', () => 1e18)).toEqual({ pack: host / 2, card: 0.85 * 1e18 });
  });

  test('leave no room for packs on a card of which nothing is known', () => {
    expect(limits('gpu:0', () => undefined)).toEqual({ pack: 0 });
  });
});
