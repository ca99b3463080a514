/** Finding PyTorch: with programs that stand for Pythons, and a real pip that installs a small package of PyTorch's name. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { requireGpu, requireGpuOf } from '../../bench/race/gpu.ts';
import { ensurePyTorch, findPyTorch } from '../../bench/race/pytorch.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bench-pytorch-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const program = (name: string, script: string): string => {
  const file = join(folder, name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
};
const options = (env: NodeJS.ProcessEnv) => ({ env, cache: join(folder, 'cache'), device: 'cpu' as const, say: () => undefined });

describe('TORCH_PYTHON', () => {
  it('is taken where it imports torch', async () => {
    const python = program('python', `echo '{"version": "2.99.0", "gpu": false}'`);
    expect(await findPyTorch(options({ TORCH_PYTHON: python }))).toEqual({ python, env: {}, version: '2.99.0', gpu: false });
  });

  it('is refused where it does not, with what it said', async () => {
    const python = program('python', `echo "No module named 'torch'" >&2; exit 1`);
    await expect(findPyTorch(options({ TORCH_PYTHON: python }))).rejects.toThrow(/No module named 'torch'[^]*unset TORCH_PYTHON/);
  });
});

describe('with pip', () => {
  /** A wheel with a module `torch` that says which version it is. */
  const writeWheel = async (version: string): Promise<string> => {
    const wheels = join(folder, 'wheels'),
      info = `torch-${version}.dist-info`;
    mkdirSync(wheels);
    const script = [
      'import sys, zipfile',
      'with zipfile.ZipFile(sys.argv[1], "w") as z:',
      '    z.writestr("torch/__init__.py", f"__version__ = {sys.argv[2]!r}\\nclass cuda:\\n    is_available = staticmethod(lambda: False)\\n")',
      '    z.writestr(f"{sys.argv[3]}/METADATA", f"Metadata-Version: 2.1\\nName: torch\\nVersion: {sys.argv[2]}\\n")',
      '    z.writestr(f"{sys.argv[3]}/WHEEL", "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")',
      '    z.writestr(f"{sys.argv[3]}/RECORD", "")',
    ].join('\n');
    await execa('python3', ['-c', script, join(wheels, `torch-${version}-py3-none-any.whl`), version, info]);
    return wheels;
  };
  const pipFrom = (wheels: string): void => {
    for (const [name, value] of Object.entries({ PIP_NO_INDEX: '1', PIP_FIND_LINKS: wheels, PIP_CONFIG_FILE: '/dev/null' })) vi.stubEnv(name, value);
  };

  it('is installed for CPUs into the cache after its size was told, found there the next time, and healed where it is damaged', { tags: 'long', timeout: 60_000 }, async () => {
    pipFrom(await writeWheel('2.13.0+cpu'));
    const said: string[] = [],
      cache = join(folder, 'cache');
    const first = await ensurePyTorch(cache, 'cpu', line => said.push(line));
    expect(first.version).toBe('2.13.0+cpu');
    expect(said).toEqual([expect.stringMatching(/torch==2\.13\.0\+cpu .*MB to download/)]);
    expect(await ensurePyTorch(cache, 'cpu', line => said.push(line))).toEqual(first);
    expect(said).toHaveLength(1);

    const installed = first.env['PYTHONPATH']!;
    rmSync(join(installed, 'torch'), { recursive: true }); // as a full disk or an impatient person leaves it
    expect(await ensurePyTorch(cache, 'cpu', line => said.push(line))).toEqual(first);
    expect(said).toHaveLength(2);
    expect(readdirSync(join(cache, 'pytorch'))).toHaveLength(1);
  });

  it('leaves nothing behind and says what can be done where it cannot be had', async () => {
    mkdirSync(join(folder, 'wheels'));
    pipFrom(join(folder, 'wheels'));
    await expect(ensurePyTorch(join(folder, 'cache'), 'cpu', () => undefined)).rejects.toThrow(/pip could not install[^]*TORCH_PYTHON=/);
    expect(readdirSync(join(folder, 'cache', 'pytorch'))).toEqual([]);
  }, 60_000);
});

describe('on a GPU', () => {
  it('refuses a PyTorch that would compute on the CPU', () => {
    expect(() => requireGpuOf({ python: 'python3', version: '2.13.0+cpu', gpu: false })).toThrow(/uses the GPU[^]*TORCH_PYTHON=/);
    expect(() => requireGpuOf({ python: 'python3', version: '2.13.0', gpu: true })).not.toThrow();
  });

  it.skipIf(existsSync('/proc/driver/nvidia/gpus'))('refuses a machine whose driver sees none', async () => {
    vi.stubEnv('PATH', folder); // no nvidia-smi
    await expect(requireGpu()).rejects.toThrow(/NVIDIA GPU[^]*make bench/);
  });
});
