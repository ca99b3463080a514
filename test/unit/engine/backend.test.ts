import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadEngine } from '../../../src/engine/backend.ts';
import { nativeEnvironment } from '../../../src/engine/backends/native.ts';
import { toyStep } from '../../../src/engine/selftest.ts';
import * as tf from '../../../src/engine/tf.ts';
import { precisionEnvironment } from '../../../src/engine/tf32.ts';
import { copyProject, packageFolder, reportError, runChild } from '../../helpers/engine-project.ts';

/** Lines that the native library writes to stderr at every start and that no variable silences: it logs them before its log level is set. */
function isNativeNoise(line: string): boolean {
  return line.startsWith('WARNING: All log messages before absl::InitializeLog() is called are written to STDERR') || /^I\d{4} .* port\.cc:\d+\] oneDNN custom operations are on\./.test(line);
}

const engineFolder = packageFolder('@tensorflow/tfjs-node-gpu');

describe('nativeEnvironment', () => {
  it('limits threads and hides GPUs on the CPU', () => {
    expect(nativeEnvironment({ device: 'cpu', threads: 3 })).toMatchObject({
      TF_NUM_INTRAOP_THREADS: '3',
      TF_NUM_INTEROP_THREADS: '3',
      CUDA_VISIBLE_DEVICES: '-1',
    });
  });

  it('makes a GPU deterministic, exact and shared, and leaves the choice of one to the caller', () => {
    const environment = nativeEnvironment({ device: 'gpu', threads: 1 });
    expect(environment).toMatchObject({ TF_FORCE_GPU_ALLOW_GROWTH: 'true', TF_DETERMINISTIC_OPS: '1', NVIDIA_TF32_OVERRIDE: '0' });
    expect(environment).not.toHaveProperty('CUDA_VISIBLE_DEVICES');
  });

  it('computes float32 in TF32 on a GPU in a process that was started for it, and there alone', () => {
    const override = (): string | undefined => nativeEnvironment({ device: 'gpu', threads: 1 })['NVIDIA_TF32_OVERRIDE'];
    try {
      Object.assign(process.env, precisionEnvironment('tf32'), { NVIDIA_TF32_OVERRIDE: '0' });
      expect(override()).toBe('1');
      expect(nativeEnvironment({ device: 'cpu', threads: 1 })).not.toHaveProperty('NVIDIA_TF32_OVERRIDE');
    } finally {
      for (const name of Object.keys(precisionEnvironment('tf32'))) Reflect.deleteProperty(process.env, name);
      process.env['NVIDIA_TF32_OVERRIDE'] = '1'; // of a shell: what counts is what the recipe says
    }
    expect(override()).toBe('0');
    Reflect.deleteProperty(process.env, 'NVIDIA_TF32_OVERRIDE');
    expect([precisionEnvironment('float32'), precisionEnvironment('bfloat16')]).toEqual([{}, {}]);
  });
});

describe('loadEngine', () => {
  it('describes the engine it loaded', async () => {
    const engine = await loadEngine({ device: 'cpu', threads: 2 });
    expect(engine).toMatchObject({ name: 'tensorflow', device: 'cpu', threads: 2, tfjsVersion: tf.version_core });
    expect(engine.libraryVersion).toMatch(/^2\.\d+\.\d+/);
    expect(tf.getBackend()).toBe('tensorflow');
    expect(await loadEngine({ device: 'cpu', threads: 2 })).toBe(engine);
  });

  it('refuses to pretend that a running engine has other options', async () => {
    await loadEngine({ device: 'cpu', threads: 2 });
    await expect(loadEngine({ device: 'cpu', threads: 1 })).rejects.toMatchObject({ name: 'EngineError', code: 'ENGINE_OPTIONS' });
    await expect(loadEngine({ device: 'gpu', threads: 2 })).rejects.toMatchObject({ code: 'ENGINE_OPTIONS' });
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses %d threads', async threads => {
    await expect(loadEngine({ device: 'cpu', threads })).rejects.toThrow(`Expected threads to be an integer of at least 1, got ${threads}.`);
  });

  // CPU time of each thread, from Linux: unlike a ratio of CPU to wall time it does not depend on how busy the machine is.
  it.skipIf(process.platform !== 'linux').each([
    { threads: 1, least: 0.75, most: 1 },
    { threads: 2, least: 0, most: 0.65 },
  ])('computes on as many threads as it is given ($threads), and writes nothing but the known lines', async ({ threads, least, most }) => {
    const child = await runChild(`
      import { readdirSync, readFileSync } from 'node:fs';
      import { loadEngine } from './src/engine/backend.ts';
      import * as tf from './src/engine/tf.ts';
      const ticks = () => new Map(readdirSync('/proc/self/task').map(thread => {
        const fields = readFileSync('/proc/self/task/' + thread + '/stat', 'utf8').split(') ')[1].split(' ');
        return [thread, Number(fields[11]) + Number(fields[12])];
      }));
      await loadEngine({ device: 'cpu', threads: ${threads} });
      const x = tf.ones([1000, 1000]);
      const before = ticks();
      for (let i = 0; i < 20; i++) tf.tidy(() => { tf.matMul(x, x).dataSync(); });
      console.log(JSON.stringify([...ticks()].map(([thread, time]) => time - (before.get(thread) ?? 0))));
    `);
    expect(child.stderr.split('\n').filter(line => line !== '' && !isNativeNoise(line))).toEqual([]);
    const times = JSON.parse(child.stdout) as number[];
    const total = times.reduce((sum, time) => sum + time, 0);
    const busiest = Math.max(...times) / total;
    expect(total).toBeGreaterThan(10);
    expect(busiest, `ticks of the threads: ${times.join(' ')}`).toBeGreaterThanOrEqual(least);
    expect(busiest, `ticks of the threads: ${times.join(' ')}`).toBeLessThanOrEqual(most);
  });

  it('works without the functions that newer versions of Node lack', async () => {
    const child = await runChild(`
      import util from 'node:util';
      delete util.isNullOrUndefined;
      delete util.isArray;
      const { loadEngine } = await import('./src/engine/backend.ts');
      const tf = await import('./src/engine/tf.ts');
      await loadEngine({ device: 'cpu', threads: 1 });
      console.log(tf.concat([tf.tensor1d([1]), tf.tensor1d([2])]).dataSync().join());
    `);
    expect(child.stdout).toBe('1,2\n');
  });

  it('does not fall back to the CPU when a GPU is asked for and none is visible', async () => {
    const child = await runChild(`
      process.env.CUDA_VISIBLE_DEVICES = '-1';
      const { loadEngine } = await import('./src/engine/backend.ts');
      await loadEngine({ device: 'gpu', threads: 1 })${reportError};
    `);
    expect(JSON.parse(child.stdout)).toMatchObject({ name: 'EngineError', code: 'ENGINE_DEVICE' });
    expect(child.stdout).toContain('Expected ops to run on the gpu, got the cpu.');
  });
});

describe('loadEngine without a working native library', () => {
  let project: string;

  /** A copy of the project whose engine package lacks its compiled binding; everything else is linked. */
  beforeAll(() => {
    project = copyProject('no-engine-', '@tensorflow/tfjs-node-gpu', ['dist']);
  });
  afterAll(() => {
    rmSync(project, { recursive: true });
  });

  const load = () =>
    runChild(
      `
    const { loadEngine } = await import('./src/engine/backend.ts');
    await loadEngine({ device: 'cpu', threads: 1 })${reportError};
  `,
      project,
    );

  it('says what is missing and how to mend it', async () => {
    const child = await load();
    expect(JSON.parse(child.stdout)).toMatchObject({ name: 'EngineError', code: 'ENGINE_UNAVAILABLE' });
    expect(child.stdout).toContain('tfjs_binding.node');
    expect(child.stdout).toContain('Run `make setup`');
  });

  it.each([
    ['the TensorFlow library is missing', (binding: Buffer) => binding, 'libtensorflow'],
    ['the binding is no library', () => Buffer.from('<html>Not found</html>'.repeat(99)), 'tfjs_binding.node'],
  ])('says so too when %s', async (_, change, mentioned) => {
    const platform = readdirSync(join(engineFolder, 'lib'))[0]!;
    const folder = join(project, 'node_modules/@tensorflow/tfjs-node-gpu/lib', platform);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'tfjs_binding.node'), change(readFileSync(join(engineFolder, 'lib', platform, 'tfjs_binding.node'))));
    const child = await load();
    expect(JSON.parse(child.stdout)).toMatchObject({ name: 'EngineError', code: 'ENGINE_UNAVAILABLE' });
    expect(child.stdout).toContain(mentioned);
    expect(child.stdout).toContain('Run `make setup`');
  });
});

describe('toyStep', () => {
  it('learns, and leaves no tensor behind', async () => {
    await loadEngine({ device: 'cpu', threads: 2 });
    const before = tf.memory().numTensors;
    const result = toyStep();
    expect(result).toMatchObject({ ok: true });
    expect(result.lastLoss).toBeLessThan(result.firstLoss / 100);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('is not content with too little learning', async () => {
    await loadEngine({ device: 'cpu', threads: 2 });
    expect(toyStep(1).ok).toBe(false);
  });
});
