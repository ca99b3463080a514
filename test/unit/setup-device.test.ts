import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { usableGpus } from '../../src/setup/device.ts';

/** A driver's tool, as far as it is asked here; each test runs it for real. */
let folder: string;
const driver = (lines: readonly string[], exitCode = 0): void => {
  writeFileSync(join(folder, 'nvidia-smi'), `#!/bin/sh\n${lines.map(line => `echo '${line}'`).join('\n')}\nexit ${exitCode}\n`);
  chmodSync(join(folder, 'nvidia-smi'), 0o755);
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'driver-'));
  vi.stubEnv('PATH', `${folder}:${process.env['PATH']!}`);
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

describe('usableGpus', () => {
  it('counts what the driver lists, and takes none where the CPU was asked for', async () => {
    driver(['GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-1)', 'GPU 1: NVIDIA H100 80GB HBM3 (UUID: GPU-2)']);
    expect(await usableGpus({})).toBe(2);
    expect(await usableGpus({ TINYMIM_DEVICE: 'cpu' })).toBe(0);
  });

  it('refuses to go on without a GPU that was asked for', async () => {
    driver(['No devices found.']);
    expect(await usableGpus({})).toBe(0);
    await expect(usableGpus({ TINYMIM_DEVICE: 'gpu' })).rejects.toThrow(/Expected an NVIDIA GPU \(TINYMIM_DEVICE=gpu\), got none/);
  });
});
