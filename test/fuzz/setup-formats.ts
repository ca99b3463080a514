/** What set-up and measuring keep: none of it is needed, so that none of its damage may stop anybody. */
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { keepMeasurement, readMeasurements, type Hardware } from '../../src/core/runner/measurements.ts';
import { cacheProblems, readCacheManifest } from '../../src/setup/cache-manifest.ts';
import { isAlive, withLock } from '../../src/setup/lock.mjs';
import { packagesInstalled } from '../../src/setup/packages.mjs';
import { readFileSync } from 'node:fs';
import { jsonFile, jsonLines } from './damage.ts';
import { Fault, fileFormat, type FileSubject, type Format } from './fuzz.ts';
import { room } from './room.ts';

/** A file below a folder of its own. */
function fileIn<T>(name: string, subject: (dir: string, path: string) => Omit<FileSubject<T>, 'plant' | 'close'>): FileSubject<T> {
  const dir = room(),
    path = join(dir, name);
  mkdirSync(join(path, '..'), { recursive: true });
  return {
    ...subject(dir, path),
    plant: bytes => {
      writeFileSync(path, bytes);
      return true;
    },
    close: () => rmSync(dir, { recursive: true }),
  };
}

const record = (text: string) => ({ bytes: text.length, sha256: createHash('sha256').update(text).digest('hex') });
const manifestOf = (files: Readonly<Record<string, string>>): Buffer =>
  Buffer.from(`${JSON.stringify({ wheels: WHEELS.map(({ file }) => file), files: Object.fromEntries(Object.entries(files).map(([name, text]) => [name, record(text)])) }, null, 1)}\n`);
const WHEELS = [{ file: 'tensorflow.whl' }];
const LIBRARY = { 'lib/libtensorflow_cc.so.2': 'code '.repeat(20), 'include/tensor.h': 'struct' };

function makeLibrary(dir: string): void {
  for (const [name, text] of Object.entries(LIBRARY)) {
    mkdirSync(join(dir, name, '..'), { recursive: true });
    writeFileSync(join(dir, name), text);
  }
}

/** Nothing vouches for this manifest: one that lost an entry is taken for whole. */
const libraryManifest = fileFormat('set-up: manifest.json', () =>
  fileIn<unknown>('manifest.json', dir => {
    makeLibrary(dir);
    return {
      samples: [manifestOf(LIBRARY), manifestOf({ 'lib/other.so': 'x' })],
      codec: jsonFile,
      read: async () => ({ problems: await cacheProblems(dir, WHEELS, true), manifest: await readCacheManifest(dir) }),
      isRefusal: found => (found as { problems: string[] }).problems.length > 0,
      own: [],
    };
  }),
);

const libraryFile = fileFormat('set-up: library', () =>
  fileIn<string[]>('lib/libtensorflow_cc.so.2', dir => {
    makeLibrary(dir);
    writeFileSync(join(dir, 'manifest.json'), manifestOf(LIBRARY));
    return { samples: [Buffer.from(LIBRARY['lib/libtensorflow_cc.so.2'])], sealed: true, read: () => cacheProblems(dir, WHEELS, true), isRefusal: found => found.length > 0, own: [] };
  }),
);

const PACKAGES = { '': {}, 'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' }, 'node_modules/b': { version: '2.1.0', integrity: 'sha512-b', optional: true } };
const lockFile = (packages: object): Buffer => Buffer.from(JSON.stringify({ lockfileVersion: 3, packages }, null, 2));

const installed = fileFormat('set-up: .package-lock.json', () =>
  fileIn<boolean>('node_modules/.package-lock.json', dir => {
    writeFileSync(join(dir, 'package-lock.json'), lockFile(PACKAGES));
    return { samples: [lockFile(PACKAGES), lockFile({ 'node_modules/c': { version: '0.1.0' } })], codec: jsonFile, read: () => packagesInstalled(dir), isRefusal: found => !found, own: [] };
  }),
);

class NotALockFile extends Error {}

const wanted = fileFormat('set-up: package-lock.json', () =>
  fileIn<boolean>('package-lock.json', dir => {
    mkdirSync(join(dir, 'node_modules'));
    writeFileSync(join(dir, 'node_modules', '.package-lock.json'), lockFile(PACKAGES));
    return {
      samples: [lockFile(PACKAGES)],
      codec: jsonFile,
      isRefusal: found => !found,
      read() {
        try {
          return packagesInstalled(dir);
        } catch (error) {
          // It runs before any package is there, with no class of its own.
          throw error instanceof Error && error.message.startsWith('Expected ') ? new NotALockFile(error.message) : error;
        }
      },
      own: [NotALockFile],
    };
  }),
);

class Waits extends Error {}

/** A lock of a process that is gone. Damage may make it one of another host, which nobody here can ask: then a person is told which file it is. */
const lock = fileFormat('set-up: lock', () =>
  fileIn<string>('x.lock', (_, path) => ({
    samples: [Buffer.from(`4194305 ${hostname()}`), Buffer.from('12 elsewhere')],
    read: async () => {
      utimesSync(path, 1, 1);
      try {
        return await withLock(
          path,
          line => {
            throw new Waits(line);
          },
          () => Promise.resolve('taken over'),
        );
      } catch (error) {
        if (!(error instanceof Waits)) throw error;
        return error.message;
      }
    },
    own: [],
    check: found => {
      if (found === 'taken over') return;
      const [, holder = ''] = /\(process (.+); lock /.exec(found) ?? [];
      if (!found.includes(path) || !(holder.includes(' on ') || (/^[1-9]\d*$/.test(holder) && isAlive(Number(holder)))))
        throw new Fault(`Expected to wait for a living process, or one elsewhere, got: ${found}`);
    },
  })),
);

const HARDWARE: Hardware = { device: 'cpu', threads: 2, cpu: 'x', engine: 'tensorflow 2.21.0' };

/** Lines that are none are passed over. */
const measurements = fileFormat('measurements.jsonl', () =>
  fileIn<unknown>('measurements.jsonl', (_, path) => {
    for (const [i, engine] of ['tensorflow 2.21.0', null].entries())
      keepMeasurement(path, { shape: `{"kind":"distill","width":${i}}`, perSecond: 100.5, start: 2, process: 1, device: 'cpu', threads: 2, cpu: 'x', engine });
    return { samples: [readFileSync(path)], codec: jsonLines, read: () => readMeasurements(path, HARDWARE), own: [] };
  }),
);

export const SETUP_FORMATS: readonly Format[] = [libraryManifest, libraryFile, installed, wanted, lock, measurements];
