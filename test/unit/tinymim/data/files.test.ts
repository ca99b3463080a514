import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ensureFashionMnist, fashionMnistStatus } from '../../../../src/tinymim/data/fashion-mnist.ts';
import { ensureFiles, filesStatus, readKnownFile, type KnownFile, type Source } from '../../../../src/tinymim/data/files.ts';
import { debianSource, folderSource, webSource } from '../../../../src/tinymim/data/sources.ts';

const CONTENT = { one: Buffer.from('first file'), two: Buffer.from('second file') };
const files: KnownFile[] = Object.entries(CONTENT).map(([name, content]) => ({ name, bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') }));
const MEND = 'Mend it so.';

let folder: string, dir: string;
let lines: string[];
const say = (line: string): void => void lines.push(line);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'data-files-'));
  dir = join(folder, 'data', 'set');
  lines = [];
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** A folder as a publisher has it: one file gzipped, one plain. */
function published(name: string): string {
  const from = join(folder, name);
  mkdirSync(from, { recursive: true });
  writeFileSync(join(from, 'one.gz'), gzipSync(CONTENT.one));
  writeFileSync(join(from, 'two'), CONTENT.two);
  return from;
}

const failing: Source = { title: 'Nowhere', fetch: () => Promise.reject(new Error('no way')) };
const ensure = (...sources: Source[]): Promise<void> => ensureFiles(dir, files, sources, MEND, say);

function expectPresent(): void {
  expect(filesStatus(dir, files)).toEqual({ state: 'present', bytes: 21, dir, problems: [] });
  expect(readdirSync(dir).sort()).toEqual(['one', 'two']);
}

describe('ensureFiles', () => {
  it('touches no folder that has the name of a file, and fetches nothing', async () => {
    mkdirSync(join(dir, 'one', 'kept'), { recursive: true });
    const inTheWay = `Expected ${join(dir, 'one')} to be a file, got a folder: move it away`;
    expect(filesStatus(dir, files)).toMatchObject({ state: 'damaged', problems: [inTheWay, expect.stringContaining('got none')] });
    await expect(ensure(folderSource('DIR', published('publisher')))).rejects.toMatchObject({ code: 'DATA_DAMAGED', message: `${inTheWay}.` });
    expect(readdirSync(dir)).toEqual(['one']);
    expect(() => readKnownFile(dir, files[0]!, MEND)).toThrow(`${inTheWay}. ${MEND}`);
  });

  it('does not wait for a pipe that has the name of a file', () => {
    mkdirSync(dir, { recursive: true });
    execFileSync('mkfifo', [join(dir, 'two')]);
    expect(filesStatus(dir, files).problems).toContain(`Expected ${join(dir, 'two')} to be a file, got a pipe or device: move it away`);
  });

  it('unpacks and keeps what a folder has, and then needs no source', async () => {
    expect(filesStatus(dir, files).state).toBe('missing');
    await ensure(folderSource('DIR', published('publisher')));
    expectPresent();
    await ensure(failing);
    expect(lines).toEqual([]);
  });

  it('says which file is damaged, and fetches it again', async () => {
    const source = folderSource('DIR', published('publisher'));
    await ensure(source);
    writeFileSync(join(dir, 'two'), 'SECOND FILE');
    const { state, problems } = filesStatus(dir, files);
    expect(state).toBe('damaged');
    expect(problems).toEqual([expect.stringMatching(/^Expected .*two to have the SHA-256 sum [0-9a-f]{64}, got [0-9a-f]{64}$/)]);
    expect(() => readKnownFile(dir, files[1]!, MEND)).toThrow(expect.objectContaining({ code: 'DATA_DAMAGED' }));
    await ensure(source);
    expectPresent();
    expect(lines).toEqual([expect.stringMatching(/^Fetching again: Expected .*two to have/)]);
  });

  it('heals what an interrupted fetch left', async () => {
    mkdirSync(join(dir, '.fetching-killed'), { recursive: true });
    writeFileSync(join(dir, '.fetching-killed', 'one'), 'fir');
    utimesSync(join(dir, '.fetching-killed'), new Date(0), new Date(0));
    writeFileSync(join(dir, 'one'), CONTENT.one);
    await ensure(folderSource('DIR', published('publisher')));
    expectPresent();
  });

  it('takes the next source where one fails or has other content', async () => {
    const other = published('other');
    writeFileSync(join(other, 'one.gz'), gzipSync('FIRST FILE'));
    await ensure(failing, { title: 'Other', fetch: () => Promise.resolve(other) }, { title: 'Good', fetch: () => Promise.resolve(published('publisher')) });
    expectPresent();
    expect(lines[0]).toBe('Nowhere: no way');
    expect(lines[1]).toMatch(/^Other: Expected .*one\.gz to have the SHA-256 sum/);
  });

  it('names the cause of every failure and the way to mend it, and keeps nothing', async () => {
    await expect(ensure(failing, { ...failing, title: 'Elsewhere' })).rejects.toMatchObject({
      code: 'DATA_FETCH',
      message: 'Expected one way to get the data to work, got:\n  - Nowhere: no way\n  - Elsewhere: no way\nMend it so.',
    });
    expect(readdirSync(dir)).toEqual([]);
  });

  it('tries nothing else where the folder that the user named fails', async () => {
    const fetched = vi.fn(() => Promise.resolve(published('publisher')));
    await expect(ensure(folderSource('DIR', join(folder, 'typo')), { title: 'Good', fetch: fetched })).rejects.toThrow(/DIR=.*typo: Expected a folder, got nothing there/);
    expect(fetched).not.toHaveBeenCalled();
  });

  it('refuses a gzipped file that unpacks to more than it should', async () => {
    const bomb = published('bomb');
    writeFileSync(join(bomb, 'one.gz'), gzipSync(Buffer.alloc(1_000_000)));
    await expect(ensure(folderSource('DIR', bomb))).rejects.toThrow(/one\.gz to unpack to at most 10 bytes/);
  });
});

describe('webSource', () => {
  async function serve(bodies: Record<string, Buffer>, use: (address: string) => Promise<void>): Promise<void> {
    const server = createServer((request, response) => {
      const body = bodies[request.url ?? ''];
      response.writeHead(body ? 200 : 404).end(body);
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    try {
      await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    } finally {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    }
  }
  const packed = { '/one.gz': gzipSync(CONTENT.one), '/two.gz': gzipSync(CONTENT.two) };

  it('downloads gzipped files, and says how much first', async () => {
    await serve(packed, async address => {
      await ensure(webSource('Publisher', address, 31));
      expectPresent();
      expect(lines).toEqual([`Downloading 2 files (31 MB) from ${address} ...`]);
    });
  });

  it('names the address and the status of a file that is not there', async () => {
    await serve({ '/one.gz': packed['/one.gz'] }, address => expect(ensure(webSource('Publisher', address, 31))).rejects.toThrow(`${address}/two.gz: Expected status 200, got 404 Not Found`));
  });

  it('stops reading an answer that is larger than the file can be', async () => {
    await serve({ ...packed, '/two.gz': Buffer.alloc(100_000) }, address => expect(ensure(webSource('Publisher', address, 31))).rejects.toThrow(/two\.gz: Expected at most 1035 bytes, got more/));
  });

  it('says why nothing answered', async () => {
    let unused = '';
    await serve({}, address => Promise.resolve(void (unused = address)));
    await expect(ensure(webSource('Publisher', unused, 31))).rejects.toThrow(/ECONNREFUSED/);
  });
});

describe('debianSource', () => {
  const source = debianSource({ name: 'dataset-x', folder: 'usr/share/x', megabytes: 31 });

  /** Stands in for the system's commands; the real ones need a network and Debian. */
  function commands(scripts: Record<string, string>): void {
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    for (const [name, script] of Object.entries(scripts)) {
      writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
      chmodSync(join(bin, name), 0o755);
    }
    vi.stubEnv('PATH', `${bin}:/usr/bin:/bin`);
  }
  const unpack = (): string => `mkdir -p "$3/usr/share" && cp -r "${published('package')}" "$3/usr/share/x"`;

  it('unpacks the package without installing it', async () => {
    commands({ 'apt-get': '[ "$1" = download ] && touch dataset-x_1_all.deb', dpkg: `[ "$1" = -x ] && [ -f "$2" ] && ${unpack()}` });
    await ensure(source);
    expectPresent();
    expect(lines).toEqual(['Downloading the Debian package dataset-x (31 MB), unpacked without installing it ...']);
  });

  it('as root updates empty package lists; else says who has to', async () => {
    const lists = join(folder, 'lists');
    commands({
      'apt-get': `if [ "$1" = update ]; then touch ${lists}; elif [ -f ${lists} ]; then touch x.deb; else echo "E: Unable to locate package dataset-x" >&2; exit 100; fi`,
      dpkg: unpack(),
    });
    vi.spyOn(process, 'getuid').mockReturnValueOnce(1000);
    await expect(ensure(source)).rejects.toThrow('E: Unable to locate package dataset-x (the package lists may be empty: run apt-get update as root)');
    expect(existsSync(lists)).toBe(false);
    vi.spyOn(process, 'getuid').mockReturnValueOnce(0);
    await ensure(source);
    expectPresent();
  });

  it('says that a system has no apt-get', async () => {
    mkdirSync(join(folder, 'empty'));
    vi.stubEnv('PATH', join(folder, 'empty'));
    await expect(ensure(source)).rejects.toThrow('Expected the command apt-get, got none on this system');
  });
});

describe('Fashion-MNIST', () => {
  it('is missing from an empty folder, and says what mends that', () => {
    const status = fashionMnistStatus(folder);
    expect(status).toMatchObject({ state: 'missing', bytes: 0, mend: 'Run `npx ablate setup`.' });
    expect(status.problems).toHaveLength(4);
  });

  it('refuses files of another data set in the folder that the user named', async () => {
    const mnist = join(folder, 'mnist');
    mkdirSync(mnist);
    writeFileSync(join(mnist, 'train-images-idx3-ubyte'), 'digits');
    await expect(ensureFashionMnist(folder, say, { FASHION_MNIST_DIR: mnist })).rejects.toThrow(/FASHION_MNIST_DIR=.*mnist: Expected .*train-images-idx3-ubyte to have 47040016 bytes, got 6/);
    expect(readFileSync(join(mnist, 'train-images-idx3-ubyte'), 'utf8')).toBe('digits');
  });
});
