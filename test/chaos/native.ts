/** Kills inside a real distillation, on the native engine: the real program, whose results must not show it. */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { attemptFiles } from '../../src/core/store/layout.ts';
import type { StoreReader } from '../../src/core/store/reader.ts';
import { openStoreReadOnly } from '../../src/core/store/store.ts';
import { temporaryFolder } from '../toy/sweep.ts';
import { faultsOf, type Tally } from './tally.ts';

const ABLATE = fileURLToPath(new URL('../../src/cli/ablate.mjs', import.meta.url));
const EXPERIMENTS = fileURLToPath(new URL('../e2e/experiments', import.meta.url));

export interface NativeOptions {
  readonly kills: number;
  readonly tally: Tally;
  readonly random: () => number;
  readonly say: (line: string) => void;
}

/** Long enough for a few kills in one distillation. */
const CHOICE = ['--experiments', EXPERIMENTS, '--profile', 'toy', '--only', 'tiny/relation', '--set', 'distill.schedule.epochs=80', '--no-report', '--devices', 'cpu:1x1', '--checkpoint-every', '0.1'];

export async function killDistillations({ kills, tally, random, say }: NativeOptions): Promise<void> {
  const folder = temporaryFolder('chaos-native');
  const start = (store: string) => execa(process.execPath, [ABLATE, 'sweep', ...CHOICE, '--store', store], { cwd: folder, reject: false, all: true, detached: true });
  const calm = await start('calm');
  if (calm.exitCode !== 0) throw new Error(`Expected an undisturbed sweep on the engine, got one that failed:\n${calm.all}`);
  const calmFiles = filesOf(openStoreReadOnly(join(folder, 'calm')));
  for (let killed = 0, store = 1; killed < kills && faultsOf(tally) === 0; store++) {
    const dir = join(folder, `killed-${store}`);
    tally.stores++;
    for (; killed < kills; killed++) {
      const before = doneIn(dir);
      const running = start(dir);
      const began = await distillBegan(dir, running);
      if (began) await sleep(200 + random() * 1_500);
      const isDistilling = began && stagesOf(dir).some(s => s.kind === 'distill' && s.state === 'running');
      if (isDistilling) process.kill(-running.pid!, 'SIGKILL');
      await running;
      check(dir, before, tally, say);
      if (!isDistilling) break;
      tally.kills += 2; // runner and worker
      say(`  kill ${killed + 1} of ${kills} inside a distillation`);
    }
    const before = doneIn(dir);
    const last = await start(dir);
    check(dir, before, tally, say);
    const found = filesOf(openStoreReadOnly(dir));
    const differing = [...new Set([...calmFiles.keys(), ...found.keys()])].filter(name => !found.get(name)?.equals(calmFiles.get(name) ?? Buffer.alloc(0)));
    tally.differing += differing.length;
    if (differing.length > 0) say(`FAULT: other bytes in ${differing.join(', ')} of ${dir}\n${last.all}`);
    tally.resumes += resumesIn(openStoreReadOnly(dir));
  }
  if (faultsOf(tally) === 0) rmSync(folder, { recursive: true, force: true });
  else say(`The stores are kept in ${folder}.`);
}

const stagesOf = (dir: string): { readonly key: string; readonly kind: string; readonly state: string }[] => {
  if (!existsSync(join(dir, 'store.json'))) return [];
  const store = openStoreReadOnly(dir);
  return store.keys().flatMap(key => {
    const stage = store.stage(key);
    return stage ? [{ key, kind: stage.kind, state: store.state(key).state }] : [];
  });
};

/** Number of attempts of each stage that is done. */
const doneIn = (dir: string): Map<string, number> =>
  new Map(
    stagesOf(dir)
      .filter(s => s.state === 'done')
      .map(({ key }) => [key, openStoreReadOnly(dir).attempts(key).length]),
  );

/** Until a worker trains; false when the sweep ends without. */
async function distillBegan(dir: string, running: PromiseLike<unknown>): Promise<boolean> {
  let ended = false;
  void running.then(() => {
    ended = true;
  });
  while (!ended) {
    await sleep(50);
    for (const { key, state } of stagesOf(dir).filter(s => s.kind === 'distill')) {
      const store = openStoreReadOnly(dir);
      const newest = store.attempts(key).at(-1);
      if (state === 'running' && newest !== undefined && existsSync(join(store.attemptDir(key, newest), attemptFiles.resumed))) return true;
    }
  }
  return false;
}

function check(dir: string, before: ReadonlyMap<string, number>, tally: Tally, say: (line: string) => void): void {
  for (const [key, attempts] of before) {
    const now = openStoreReadOnly(dir).attempts(key).length;
    tally.needless += now - attempts;
    if (now > attempts) say(`FAULT: stage ${key} was done and got another attempt`);
  }
}

/** Results and final weights by stage and name. */
function filesOf(store: StoreReader): Map<string, Buffer> {
  return new Map(
    store.keys().flatMap((key): [string, Buffer][] => {
      const attempt = store.doneAttempt(key);
      if (attempt === undefined) return [];
      const dir = store.attemptDir(key, attempt);
      const names = [attemptFiles.result, ...readdirSync(join(dir, attemptFiles.output)).map(name => join(attemptFiles.output, name))];
      return names.map(name => [join(key, name), readFileSync(join(dir, name))]);
    }),
  );
}

const resumesIn = (store: StoreReader): number =>
  store
    .keys()
    .flatMap(key => store.attempts(key).map(n => join(store.attemptDir(key, n), attemptFiles.resumed)))
    .filter(file => existsSync(file) && !readFileSync(file, 'utf8').includes('null')).length;
