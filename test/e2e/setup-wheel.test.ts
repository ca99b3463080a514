/** Download, unpacking and healing, with the real pip and a tiny wheel from a local folder instead of the network. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { cacheProblems } from '../../src/setup/cache-manifest.ts';
import { ensureUnpacked, type Unpacking } from '../../src/setup/wheel.ts';

const WHEEL = 'engine_for_tests-1.0-cp312-cp312-manylinux_2_27_x86_64.whl';

/** Files as a Python program that writes them into a wheel; pip wants metadata. */
function makeWheel(folder: string, files: Readonly<Record<string, string>>): void {
  const info = 'engine_for_tests-1.0.dist-info';
  const members = {
    ...files,
    [`${info}/METADATA`]: 'Metadata-Version: 2.1\nName: engine-for-tests\nVersion: 1.0\n',
    [`${info}/WHEEL`]: 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: false\nTag: cp312-cp312-manylinux_2_27_x86_64\n',
    [`${info}/RECORD`]: '',
  };
  const program = 'import json, sys, zipfile\nwith zipfile.ZipFile(sys.argv[1], "w") as z:\n  for n, t in json.loads(sys.argv[2]).items(): z.writestr(n, t)';
  execFileSync('python3', ['-c', program, path.join(folder, WHEEL), JSON.stringify(members)]);
}

const CONTENT = 'x'.repeat(5000);

let folder: string, cache: string, said: string[], unpacking: Unpacking;
/** First words; how far a download is, which is told when it takes long, is indented. */
const say = (line: string): void => {
  if (!line.startsWith(' ')) said.push(line.split(' ')[0]!);
};
const ensure = (deep = false): Promise<string> => ensureUnpacked(cache, unpacking, say, deep);
const library = (): string => path.join(cache, 'libraries', 'engine-1.0', 'engine', 'lib.so');
const leftovers = (): string[] => ['downloads', 'libraries', 'locks'].flatMap(name => readdirSync(path.join(cache, name)));

/** What a program takes that has pinned the wheel as it stands in the index now. */
const pinned = (): Unpacking => {
  const bytes = readFileSync(path.join(folder, 'index', WHEEL));
  return {
    key: 'engine-1.0',
    label: 'engine-for-tests 1.0',
    wheels: [{ file: WHEEL, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }],
    prefixes: ['engine/lib.so', 'engine/include/'],
    unpackedBytes: 1000,
  };
};

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'setup wheel é-')); // a space and a letter beyond ASCII
  cache = path.join(folder, 'cache');
  said = [];
  const index = path.join(folder, 'index');
  mkdirSync(index);
  makeWheel(index, { 'engine/lib.so': CONTENT, 'engine/include/a/b.h': '// b', 'engine/python.py': 'not wanted' });
  unpacking = pinned();
  // pip splits a path at spaces.
  for (const [name, value] of Object.entries({ PIP_CONFIG_FILE: os.devNull, PIP_NO_INDEX: '1', PIP_FIND_LINKS: pathToFileURL(index).href })) vi.stubEnv(name, value);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

describe('ensureUnpacked', () => {
  it('takes what is wanted from the wheel, once, and needs nothing afterwards', async () => {
    const target = await ensure();
    expect(said).toEqual(['Downloading', 'Unpacking']);
    expect(
      readdirSync(target, { recursive: true })
        .map(String)
        .filter(name => /\.\w+$/.test(name))
        .sort(),
    ).toEqual(['engine/include/a/b.h', 'engine/lib.so', 'manifest.json']);
    expect(readFileSync(library(), 'utf8')).toBe(CONTENT);
    expect(await cacheProblems(target, unpacking.wheels, true)).toEqual([]);
    expect(leftovers()).toEqual(['engine-1.0']); // no wheel, no temporary folder, no lock
    vi.stubEnv('PATH', '/nowhere');
    expect(await ensure()).toBe(target);
    expect(said).toEqual(['Downloading', 'Unpacking']);
  });

  it('takes a damaged library anew: shortened at once, altered when it looks closely', async () => {
    await ensure();
    truncateSync(library(), 10);
    await ensure();
    expect(readFileSync(library(), 'utf8')).toBe(CONTENT);
    writeFileSync(library(), 'y'.repeat(5000));
    said = [];
    await ensure();
    expect(said).toEqual([]);
    await ensure(true);
    expect(said).toEqual(['engine-for-tests', 'Downloading', 'Unpacking']);
    expect(readFileSync(library(), 'utf8')).toBe(CONTENT);
    expect(leftovers()).toEqual(['engine-1.0']);
  });

  it('goes on after the download when it was interrupted while unpacking', async () => {
    const kept = path.join(cache, 'downloads', 'engine-1.0');
    mkdirSync(kept, { recursive: true });
    renameSync(path.join(folder, 'index', WHEEL), path.join(kept, WHEEL));
    mkdirSync(path.join(cache, 'libraries', `tmp-4194305-${os.hostname()}-0a0a0a0a`, 'engine'), { recursive: true });
    await ensure();
    expect(said).toEqual(['Unpacking']);
    expect(leftovers()).toEqual(['engine-1.0']);
  });

  it('throws a damaged download away, so that the next call heals', async () => {
    const kept = path.join(cache, 'downloads', 'engine-1.0');
    mkdirSync(kept, { recursive: true });
    const bytes = readFileSync(path.join(folder, 'index', WHEEL));
    bytes[200] = bytes[200]! ^ 1;
    writeFileSync(path.join(kept, WHEEL), bytes);
    await expect(ensure()).rejects.toMatchObject({ code: 'BAD_WHEEL', message: expect.stringContaining('to have the SHA-256') as string });
    expect(existsSync(library())).toBe(false);
    await ensure();
    expect(said).toEqual(['Unpacking', 'Downloading', 'Unpacking']);
    expect(leftovers()).toEqual(['engine-1.0']);
  });

  it('run twice at once downloads once', async () => {
    const [a, b] = await Promise.all([ensure(), ensure()]);
    expect(a).toBe(b);
    expect(said.filter(word => word === 'Downloading')).toHaveLength(1);
    expect(await cacheProblems(a, unpacking.wheels, true)).toEqual([]);
  });

  it('refuses a wheel without the files it is taken for', async () => {
    makeWheel(path.join(folder, 'index'), { 'engine/lib.so': CONTENT });
    unpacking = pinned();
    await expect(ensure()).rejects.toMatchObject({ code: 'BAD_WHEEL', message: expect.stringContaining('engine/include/') as string });
    expect(existsSync(library())).toBe(false);
  });

  it('refuses a wheel that would write outside of its folder', async () => {
    makeWheel(path.join(folder, 'index'), { 'engine/lib.so': CONTENT, 'engine/include/../../../../escaped.h': 'x' });
    unpacking = pinned();
    await expect(ensure()).rejects.toMatchObject({ code: 'BAD_WHEEL', message: expect.stringContaining('member outside the archive') as string });
    expect(readdirSync(folder).sort()).toEqual(['cache', 'index']);
  });

  it('refuses a forged wheel of the right name and version, and unpacks nothing of it', async () => {
    const [official] = unpacking.wheels;
    makeWheel(path.join(folder, 'index'), { 'engine/lib.so': 'forged', 'engine/include/a/b.h': '// b' });
    await expect(ensure()).rejects.toMatchObject({
      code: 'BAD_WHEEL',
      message: expect.stringContaining(`Expected ${WHEEL} to have the SHA-256 ${official!.sha256}, got ${pinned().wheels[0]!.sha256}`) as string,
      mend: expect.stringContaining('PIP_FIND_LINKS') as string,
    });
    expect(leftovers()).toEqual([]);
  });

  /** Downloads that pip has brought before: name of each and the file that it is. */
  const download = (files: Readonly<Record<string, string>>): void => {
    const kept = path.join(cache, 'downloads', 'engine-1.0');
    mkdirSync(kept, { recursive: true });
    for (const [name, file] of Object.entries(files)) copyFileSync(file, path.join(kept, name));
  };

  it('refuses a wheel with a build number, which pip prefers to the pinned file', async () => {
    download({ [WHEEL.replace('-1.0-', '-1.0-9-')]: path.join(folder, 'index', WHEEL) });
    await expect(ensure()).rejects.toMatchObject({ code: 'BAD_WHEEL', message: expect.stringMatching(/Expected pip to bring engine_for_tests-1\.0-cp312.*got engine_for_tests-1\.0-9-/) as string });
    expect(leftovers()).toEqual([]);
  });

  it('unpacks nothing from a file that lies beside the pinned one', async () => {
    mkdirSync(path.join(folder, 'other'));
    makeWheel(path.join(folder, 'other'), { 'engine/include/a/extra.h': '// not pinned' });
    download({ [WHEEL]: path.join(folder, 'index', WHEEL), [`other-${WHEEL}`]: path.join(folder, 'other', WHEEL) });
    expect(readdirSync(path.join(await ensure(), 'engine/include/a'))).toEqual(['b.h']);
  });

  it('takes anew what an older program has taken from another wheel', async () => {
    download({ [WHEEL]: path.join(folder, 'index', WHEEL) });
    const manifest = path.join(await ensure(), 'manifest.json');
    writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('-1.0-', '-0.9-'));
    said = [];
    download({ [WHEEL]: path.join(folder, 'index', WHEEL) });
    await ensure();
    expect(said).toEqual(['engine-for-tests', 'Unpacking']);
  });

  it('says what pip says when there is no such wheel', async () => {
    rmSync(path.join(folder, 'index', WHEEL));
    await expect(ensure()).rejects.toMatchObject({ code: 'NO_WHEEL', message: expect.stringMatching(/No matching distribution[^]*To mend it: name an index that has it/) as string });
    expect(leftovers()).toEqual([]);
  });
});
