/** The files of a store. Whichever is damaged, all readers are asked. */
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { attemptFiles, layout } from '../../src/core/store/layout.ts';
import { WorkerOutput } from '../../src/core/store/worker-output.ts';
import { jsonFile, jsonLines, type Codec } from './damage.ts';
import { fileFormat, type FileSubject, type Format } from './fuzz.ts';
import { room } from './room.ts';
import { checkSealed, makeScene, refuses, survey, type Scene, type Survey } from './store-scene.ts';

interface StoreFile {
  readonly name: string;
  readonly path: (scene: Scene) => string;
  readonly codec?: Codec;
  readonly sealed?: boolean;
}

const json = { codec: jsonFile },
  lines = { codec: jsonLines };
const ofDone =
  (number: number, ...names: string[]) =>
  ({ store, done }: Scene): string =>
    join(store.attemptDir(done, number), ...names);
const ofRunning =
  (number: number, ...names: string[]) =>
  ({ store, running }: Scene): string =>
    join(store.attemptDir(running, number), ...names);
const { checkpoints } = attemptFiles;

/** In `done`, which is itself a link in a store of format 1. */
const COMMIT = 'commit.json';

/** Those without `sealed` can be damaged into what a writer could have written: nothing vouches for a name, a time or a loss. */
const FILES: readonly StoreFile[] = [
  { name: 'store.json', path: ({ store }) => layout.format(store.dir), ...json },
  { name: 'stage.json', path: ({ store, running }) => layout.identity(store.stageDir(running)), ...json },
  { name: 'stage.json, done', path: ({ store, done }) => layout.identity(store.stageDir(done)), ...json },
  { name: 'attempt.json', path: ofRunning(2, attemptFiles.owner), ...json },
  { name: 'attempt.json, done', path: ofDone(2, attemptFiles.owner), ...json },
  { name: 'worker.json', path: ofRunning(2, attemptFiles.worker), ...json },
  { name: 'heartbeat', path: ofRunning(2, attemptFiles.heartbeat) },
  { name: 'state.jsonl', path: ofRunning(2, attemptFiles.states), ...lines },
  { name: 'metrics.jsonl', path: ofDone(2, attemptFiles.metrics), ...lines },
  { name: 'metrics.jsonl, earlier', path: ofDone(1, attemptFiles.metrics), ...lines },
  { name: 'progress.jsonl', path: ofRunning(2, attemptFiles.progress), ...lines },
  { name: 'resumed.json', path: ofDone(2, attemptFiles.resumed), ...json },
  { name: 'provenance.json', path: ofDone(2, attemptFiles.provenance), ...json },
  { name: 'result.json', path: ofDone(2, attemptFiles.result), ...json, sealed: true },
  { name: 'items.bin', path: ofDone(2, attemptFiles.items), sealed: true },
  { name: 'manifest.json', path: ofDone(2, attemptFiles.manifest), ...json, sealed: true },
  { name: 'output', path: ofDone(2, attemptFiles.output, 'weights'), sealed: true },
  { name: 'checkpoint', path: ofRunning(1, checkpoints, '4', 'weights'), sealed: true },
  { name: 'manifest.json, checkpoint', path: ofRunning(1, checkpoints, '4', attemptFiles.manifest), ...json, sealed: true },
  { name: 'sweeps', path: ({ store }) => join(layout.sweeps(store.dir), readdirSync(layout.sweeps(store.dir)).at(-1)!), ...json },
  { name: 'commit.json', path: ({ store, done }) => join(layout.done(store.stageDir(done)), COMMIT), ...json, sealed: true },
  { name: 'done, format 1', path: ({ store, done }) => layout.done(store.stageDir(done)), sealed: true },
];

async function storeFile({ path, codec, sealed }: StoreFile): Promise<FileSubject<Survey>> {
  const scene = await makeScene();
  const { dir } = scene.store;
  const file = path(scene),
    done = layout.done(scene.store.stageDir(scene.done)),
    commit = readFileSync(join(done, COMMIT));
  if (file === done) {
    rmSync(done, { recursive: true });
    symlinkSync('attempts/2', done);
  }
  const whole = contentOf(file);
  const kin = readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .map(name => join(dir, name))
    .filter(other => other !== file && basename(other) === basename(file) && !lstatSync(other).isDirectory());
  const resumed = ofRunning(2, attemptFiles.resumed)(scene),
    before = readFileSync(resumed);
  const undamaged = await survey(scene);
  return {
    samples: [whole, ...kin.map(contentOf)],
    ...(codec && { codec }),
    ...(sealed && { sealed }),
    plant(bytes) {
      // What readers changed for the input before this: a withdrawn commit, where the next attempt began.
      writeFileSync(resumed, before);
      rmSync(done, { recursive: true, force: true });
      if (file === done) return plantLink(file, bytes);
      mkdirSync(done);
      writeFileSync(join(done, COMMIT), commit);
      return plantFile(file, bytes);
    },
    read: () => survey(scene),
    own: [],
    isRefusal: found => refuses(found, undamaged),
    check: found => checkSealed(found, undamaged),
    close: () => rmSync(dir, { recursive: true }),
  };
}

function contentOf(path: string): Buffer {
  return lstatSync(path).isSymbolicLink() ? Buffer.from(readlinkSync(path)) : readFileSync(path);
}

function plantFile(path: string, bytes: Buffer): boolean {
  writeFileSync(path, bytes);
  return true;
}

const LONGEST_LINK = 4000;

/** What no link can hold stands there as a file. */
function plantLink(path: string, bytes: Buffer): boolean {
  if (bytes.length === 0 || bytes.length > LONGEST_LINK || bytes.includes(0)) return plantFile(path, bytes);
  symlinkSync(bytes, path);
  return true;
}

/** What a worker prints is text for people: any bytes will do, of which a bounded end is shown. */
const workerOutput = fileFormat('worker output', () => {
  const dir = room();
  const output = new WorkerOutput(dir, 'cpu:0');
  return {
    samples: [Buffer.from('2026-01-02 loaded\nstep 1\nCould not find h\u00f6her\n'.repeat(3))],
    plant: bytes => plantFile(output.path, bytes),
    read: () => output.since(0),
    own: [],
    close: () => rmSync(dir, { recursive: true }),
  };
});

export const STORE_FORMATS: readonly Format[] = [...FILES.map(file => fileFormat(`store: ${file.name}`, () => storeFile(file))), workerOutput];
