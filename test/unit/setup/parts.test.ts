import { mkdtempSync, readlinkSync, rmSync, symlinkSync, writeFileSync, mkdirSync, existsSync, readFileSync, truncateSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { diagnosisText } from '../../../src/cli/commands/doctor.ts';
import { cacheProblems, writeCacheManifest } from '../../../src/setup/cache-manifest.ts';
import { cacheDir, prepareFolder, withTemporary } from '../../../src/setup/cache.ts';
import { SetupError } from '../../../src/setup/errors.ts';
import { libraryFor } from '../../../src/setup/library.ts';
import { ensureLinks } from '../../../src/setup/links.ts';
import { packagesInstalled } from '../../../src/setup/packages.mjs';
import { CUDA_WHEELS } from '../../../src/setup/pinned-wheels.ts';
import { countTests } from '../../summary.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'setup-parts-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const at = (...names: string[]): string => path.join(folder, ...names);

describe('the cache', () => {
  it('is named by TINYMIM_CACHE, else by XDG_CACHE_HOME, else lies in the home', () => {
    expect(cacheDir({ TINYMIM_CACHE: '/a b/c', XDG_CACHE_HOME: '/x' })).toBe('/a b/c');
    expect(cacheDir({ XDG_CACHE_HOME: '/x' })).toBe('/x/tinymim-ablations');
    expect(cacheDir({})).toBe(path.join(os.homedir(), '.cache', 'tinymim-ablations'));
  });

  it('that is too small is refused before anything is written, with both sizes', async () => {
    await expect(prepareFolder(at('cache'), 1e18)).rejects.toThrow(/Expected 1,000,000,000,000 MB free .*, got [\d,]+ MB/);
    await expect(prepareFolder(at('cache'), 1e18)).rejects.toMatchObject({ code: 'NO_SPACE' });
    await prepareFolder(at('cache'), 1);
  });

  it('that cannot be written is refused with the way out', async () => {
    writeFileSync(at('file'), '');
    const error = await prepareFolder(at('file', 'cache'), 1).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(SetupError);
    expect(error).toMatchObject({ code: 'CACHE_NOT_WRITABLE', mend: expect.stringContaining('export TINYMIM_CACHE=') as string });
  });

  it('loses the temporary folders of dead processes, and only those', async () => {
    const dead = at(`tmp-4194305-${os.hostname()}-00000000`),
      elsewhere = at('tmp-4194305-another.host-00000000');
    const alive = at(`tmp-${process.pid}-${os.hostname()}-00000000`);
    for (const name of [dead, elsewhere, alive]) mkdirSync(name);
    const used = await withTemporary(folder, name => Promise.resolve(name));
    expect([dead, elsewhere, alive, used].map(name => existsSync(name))).toEqual([false, true, true, false]);
  });
});

describe('the build of TensorFlow', () => {
  it('is chosen by platform and device', () => {
    expect(libraryFor('linux-x64', 'cpu')).toMatchObject({ package: 'tensorflow-cpu', cc: 'libtensorflow_cc.so.2' });
    expect(libraryFor('linux-x64', 'cpu').untested).toBeUndefined();
    expect(libraryFor('linux-x64', 'gpu')).toMatchObject({ package: 'tensorflow', device: 'gpu' });
    expect(libraryFor('darwin-arm64', 'cpu')).toMatchObject({ package: 'tensorflow', cc: 'libtensorflow_cc.2.dylib', untested: expect.any(String) as string });
    expect(libraryFor('linux-x64', 'cpu').key).not.toBe(libraryFor('linux-x64', 'gpu').key);
  });

  it.each([
    ['win32-x64', 'cpu'],
    ['linux-arm64', 'gpu'],
    ['linux-ia32', 'cpu'],
  ] as const)('does not exist for %s on the %s', (platform, device) => {
    expect(() => libraryFor(platform, device)).toThrow(expect.objectContaining({ code: 'NO_PLATFORM', message: expect.stringContaining(platform) as string }) as Error);
  });

  it('is one file of the index, whose name is that of the package, the version and the platform', () => {
    const builds = (['linux-x64 cpu', 'linux-x64 gpu', 'linux-arm64 cpu', 'darwin-arm64 cpu'] as const).map(name => libraryFor(name.split(' ')[0]!, name.endsWith('gpu') ? 'gpu' : 'cpu'));
    const tags = [/manylinux_2_27_x86_64/, /manylinux_2_27_x86_64/, /manylinux_2_27_aarch64/, /macosx_12_0_arm64/];
    for (const [i, { package: name, version, wheel }] of builds.entries()) {
      expect(wheel.file.startsWith(`${name.replace('-', '_')}-${version}-cp312-`)).toBe(true);
      expect(wheel.file).toMatch(tags[i]!);
    }
    const pinned = [...builds.map(({ wheel }) => wheel), ...CUDA_WHEELS];
    for (const { sha256, bytes } of pinned) expect([sha256, bytes > 1e6]).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/) as string, true]);
    expect(new Set(pinned.map(({ sha256 }) => sha256)).size).toBe(16);
  });

  // `Requires-Dist` of the extra `and-cuda` in the METADATA of the pinned wheel of tensorflow.
  it.each([
    'nvidia-cublas-cu12<13.0,>=12.5.3.2',
    'nvidia-cuda-cupti-cu12<13.0,>=12.5.82',
    'nvidia-cuda-nvcc-cu12<13.0,>=12.5.82',
    'nvidia-cuda-nvrtc-cu12<13.0,>=12.5.82',
    'nvidia-cuda-runtime-cu12<13.0,>=12.5.82',
    'nvidia-cudnn-cu12<10.0,>=9.3.0.75',
    'nvidia-cufft-cu12<12.0,>=11.2.3.61',
    'nvidia-curand-cu12<11.0,>=10.3.6.82',
    'nvidia-cusolver-cu12<12.0,>=11.6.3.83',
    'nvidia-cusparse-cu12<13.0,>=12.5.1.3',
    'nvidia-nccl-cu12<3.0,>=2.27.7',
    'nvidia-nvjitlink-cu12<13.0,>=12.5.82',
  ])('asks for %s, and one file of that is pinned', requirement => {
    const [, name, below, least] = /^(.+)<([\d.]+),>=([\d.]+)$/.exec(requirement)!;
    const files = CUDA_WHEELS.filter(({ file }) => file.startsWith(`${name!.replaceAll('-', '_')}-`));
    expect(files).toHaveLength(1);
    const version = files[0]!.file.split('-')[1]!;
    const compare = (a: string, b: string): number => a.localeCompare(b, 'en', { numeric: true });
    expect([compare(version, least!) >= 0, compare(version, below!) < 0]).toEqual([true, true]);
    expect(files[0]!.file).toMatch(/_x86_64\.whl$/);
  });
});

describe('a manifest', () => {
  const WHEELS = [{ file: 'x.whl' }];
  const sha256OfAbc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
  beforeEach(async () => {
    writeFileSync(at('a'), 'abc');
    await writeCacheManifest(folder, { wheels: ['x.whl'], files: { a: { bytes: 3, sha256: sha256OfAbc } } });
  });

  it('finds nothing wrong with whole files', async () => {
    expect(await cacheProblems(folder, WHEELS)).toEqual([]);
    expect(await cacheProblems(folder, WHEELS, true)).toEqual([]);
  });

  it('finds files that are short or gone', async () => {
    truncateSync(at('a'), 1);
    expect(await cacheProblems(folder, WHEELS)).toEqual(['a has 1 bytes instead of 3']);
    rmSync(at('a'));
    expect(await cacheProblems(folder, WHEELS)).toEqual(['a is missing']);
  });

  it('finds changed bytes only when it reads them', async () => {
    writeFileSync(at('a'), 'abd');
    expect(await cacheProblems(folder, WHEELS)).toEqual([]);
    expect(await cacheProblems(folder, WHEELS, true)).toEqual(['a has another SHA-256 than when it was unpacked']);
  });

  it('of another wheel is told', async () => {
    expect(await cacheProblems(folder, [{ file: 'y.whl' }])).toEqual(['it was taken from x.whl']);
  });

  it('that is absent or torn means that nothing is there', async () => {
    writeFileSync(at('manifest.json'), '{"wheels": [');
    expect(await cacheProblems(folder, WHEELS)).toEqual(['missing']);
  });
});

describe('links', () => {
  it('are made, left alone, replaced and removed', async () => {
    expect(await ensureLinks(at('deps'), { 'lib/a.so': '/one', nvidia: '/n' })).toBe(true);
    expect(await ensureLinks(at('deps'), { 'lib/a.so': '/one', nvidia: '/n' })).toBe(false);
    expect(await ensureLinks(at('deps'), { 'lib/a.so': '/two', nvidia: undefined })).toBe(true);
    expect(readlinkSync(at('deps', 'lib', 'a.so'))).toBe('/two');
    expect(() => readlinkSync(at('deps', 'nvidia'))).toThrow(/ENOENT/);
  });

  it('take the place of a file or of a link to nothing', async () => {
    writeFileSync(at('a'), 'a copy');
    symlinkSync('/nowhere', at('b'));
    await ensureLinks(folder, { a: '/one', b: '/two' });
    expect([readlinkSync(at('a')), readlinkSync(at('b'))]).toEqual(['/one', '/two']);
  });
});

describe('the npm packages', () => {
  const lock = (file: string, packages: object): void => {
    mkdirSync(path.dirname(at(file)), { recursive: true });
    writeFileSync(at(file), JSON.stringify({ packages }));
  };
  const a = { version: '1.0.0', integrity: 'sha512-a' },
    other = { version: '1.0.0', integrity: 'sha512-o', optional: true };
  beforeEach(() => lock('package-lock.json', { '': {}, 'node_modules/a': a, 'node_modules/other-platform': other }));

  it.each([
    ['all there', { 'node_modules/a': a, 'node_modules/other-platform': other }, true],
    ['an optional one of another platform absent', { 'node_modules/a': a }, true],
    ['one absent', {}, false],
    ['one of another version', { 'node_modules/a': { ...a, version: '0.9.0' } }, false],
    ['one with other contents', { 'node_modules/a': { ...a, integrity: 'sha512-b' } }, false],
  ])('%s: %o', (_, installed, expected) => {
    lock('node_modules/.package-lock.json', installed);
    expect(packagesInstalled(folder)).toBe(expected);
  });

  it('are missing when npm did not come to its end', () => {
    mkdirSync(at('node_modules', 'a'), { recursive: true });
    expect(packagesInstalled(folder)).toBe(false);
  });

  it('of this checkout are current where only the install script of the engine, which never runs, asks for old ones', () => {
    const { packages } = JSON.parse(readFileSync(path.resolve(import.meta.dirname, '../../../package-lock.json'), 'utf8')) as { packages: Record<string, { version: string; resolved?: string }> };
    const least = { tar: 7, '@mapbox/node-pre-gyp': 2, 'https-proxy-agent': 7 };
    for (const [name, major] of Object.entries(least)) {
      const versions = Object.entries(packages).flatMap(([at, { version }]) => (at.endsWith(`node_modules/${name}`) ? [version] : []));
      expect(versions.length).toBeGreaterThan(0);
      for (const version of versions) expect(Number(version.split('.')[0])).toBeGreaterThanOrEqual(major);
    }
    // Nor does it name a registry.
    expect(Object.values(packages).filter(({ resolved }) => resolved !== undefined)).toEqual([]);
  });

  it('of this checkout are those of its lock file', () => {
    expect(packagesInstalled(path.resolve(import.meta.dirname, '../../..'))).toBe(true);
  });
});

describe('what doctor prints', () => {
  it('is one aligned line a check, with the command that mends it', () => {
    const text = diagnosisText({
      ok: false,
      checks: [
        { name: 'engine', state: 'ok', text: 'works' },
        { name: 'data', state: 'missing', text: 'not there', mend: 'npx ablate setup --data' },
      ],
    });
    expect(stripVTControlCharacters(text).split('\n')).toEqual([
      '  ok        engine  works',
      '  missing   data    not there',
      '                    mend it: npx ablate setup --data',
      '',
      'Not ready to sweep: data.',
    ]);
  });
});

describe('the count of tests', () => {
  const file = (status: string, ...tests: string[]) => ({ name: 'f', status, message: '', assertionResults: tests.map(t => ({ status: t })) });
  it('adds up tests, and a file that failed to load as one failure', () => {
    const testResults = [file('passed', 'passed', 'passed', 'skipped'), file('failed', 'passed', 'failed'), file('failed'), file('failed', 'passed')];
    expect(countTests({ success: false, testResults })).toEqual({ passed: 4, failed: 3, skipped: 1 });
  });
});

describe('the Makefile', () => {
  it('explains every target that a person calls', () => {
    const makefile = readFileSync(path.resolve(import.meta.dirname, '../../../Makefile'), 'utf8');
    const phony = /^\.PHONY: (.*)$/m.exec(makefile)![1]!.split(' ');
    const explained = [...makefile.matchAll(/^([a-z-]+):.* ## /gm)].map(match => match[1]);
    expect(phony.filter(target => !explained.includes(target))).toEqual(['packages', 'engine']);
  });
});
