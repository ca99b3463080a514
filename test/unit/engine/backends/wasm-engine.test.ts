/** The engine without native code: what it says of itself, what it refuses, and what happens where its package is broken. */
import { cpSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadEngine } from '../../../../src/engine/backend.ts';
import { engineFromEnvironment } from '../../../../src/engine/engine-name.ts';
import { toyStep } from '../../../../src/engine/selftest.ts';
import * as tf from '../../../../src/engine/tf.ts';
import { copyProject, packageFolder, reportError, runChild } from '../../../helpers/engine-project.ts';

const PACKAGE = '@tensorflow/tfjs-backend-wasm';
const wasm = { engine: 'wasm', device: 'cpu', threads: 1 } as const;

describe('engineFromEnvironment', () => {
  it.each([
    [undefined, undefined],
    ['', undefined],
    ['native', 'tensorflow'],
    ['wasm', 'wasm'],
  ])('ENGINE=%s asks for %s', (ENGINE, engine) => {
    expect(engineFromEnvironment({ ENGINE })).toBe(engine);
  });

  it.each(['WASM', 'cpu', 'tensorflow'])('refuses ENGINE=%s', ENGINE => {
    expect(() => engineFromEnvironment({ ENGINE })).toThrow(expect.objectContaining({ code: 'ENGINE_OPTIONS', message: `Expected ENGINE to be native or wasm, got "${ENGINE}".` }));
  });
});

describe('loadEngine, WebAssembly', () => {
  beforeAll(() => loadEngine(wasm));

  it('describes the engine it loaded', async () => {
    const engine = await loadEngine(wasm);
    expect(engine).toMatchObject({ name: 'wasm', device: 'cpu', threads: 1, libraryVersion: tf.version_core, tfjsVersion: tf.version_core });
    expect(tf.getBackend()).toBe('wasm');
  });

  it('has no other backend to fall back to', () => {
    expect(['cpu', 'webgl', 'tensorflow'].filter(name => tf.findBackendFactory(name) !== null)).toEqual([]);
  });

  it.each([
    [{ ...wasm, threads: 2 }, '--devices cpu:2x1'],
    [{ ...wasm, device: 'gpu' as const }, 'ENGINE=native'],
    [{ ...wasm, engine: 'tensorflow' as const }, 'Use another process'],
  ])('refuses %o', async (options, mend) => {
    await expect(loadEngine(options)).rejects.toMatchObject({ code: 'ENGINE_OPTIONS', message: expect.stringContaining(mend) as string });
  });

  it('trains, and leaves no tensor behind', () => {
    const before = tf.memory().numTensors;
    expect(toyStep()).toMatchObject({ ok: true });
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('in a process of its own', () => {
  const start = `
    const { loadEngine } = await import('./src/engine/backend.ts');
    const tf = await import('./src/engine/tf.ts');
  `;

  it('is what ENGINE asks for, prints nothing, and lets errors end the process as they do', async () => {
    const child = await runChild(
      `${start}
      const engine = await loadEngine({ device: 'cpu', threads: 1 });
      console.log(engine.name, tf.sum(tf.tensor1d([1, 2])).dataSync()[0], process.listenerCount('uncaughtException'), process.listenerCount('unhandledRejection'));
      Promise.reject(new Error('of our own'));
    `,
      undefined,
      { ENGINE: 'wasm' },
    );
    expect(child.stdout).toBe('wasm 3 0 0\n');
    expect(child.code).toBe(1);
    expect(child.stderr).toContain('Error: of our own');
    expect(child.stderr).not.toContain('wasm');
  });

  describe('from a copy of the package, in a folder with spaces and letters beyond ASCII', () => {
    let project: string;
    const dist = (file = ''): string => join(project, 'node_modules', PACKAGE, 'dist', file);
    const binary = 'tfjs-backend-wasm-simd.wasm';
    const load = () => runChild(`${start} await loadEngine({ engine: 'wasm', device: 'cpu', threads: 1 })${reportError};`, project);
    beforeAll(() => {
      project = copyProject('Größe & Maß 大 ', PACKAGE, ['dist/tf-backend-wasm.node.js', `dist/${binary}`]);
    });
    afterAll(() => {
      rmSync(project, { recursive: true });
    });

    it('starts', async () => {
      expect(await load()).toMatchObject({ stdout: 'loaded\n', stderr: '' });
    });

    it.each([
      [
        'is missing',
        () => {
          renameSync(dist(binary), dist('elsewhere'));
        },
      ],
      [
        'is broken',
        () => {
          writeFileSync(dist(binary), '<html>Not found</html>');
        },
      ],
    ])('says what to do where the binary %s', async (_, damage) => {
      damage();
      const child = await load();
      cpSync(join(packageFolder(PACKAGE), 'dist', binary), dist(binary));
      expect(JSON.parse(child.stdout)).toMatchObject({ name: 'EngineError', code: 'ENGINE_UNAVAILABLE', message: expect.stringContaining('npm ci --ignore-scripts') as string });
      expect(child.stderr).toBe('');
    });

    it('says so too where the package is missing', async () => {
      renameSync(dist(), join(project, 'moved'));
      const child = await load();
      renameSync(join(project, 'moved'), dist());
      expect(JSON.parse(child.stdout)).toMatchObject({ code: 'ENGINE_UNAVAILABLE', message: expect.stringContaining(PACKAGE) as string });
    });
  });
});
