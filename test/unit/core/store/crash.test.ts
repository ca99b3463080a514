/** A process that dies at any of its file operations, in the middle of it or after it, loses nothing that was done. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nodeFiles, type Files } from '../../../../src/core/store/files.ts';
import { attemptFiles } from '../../../../src/core/store/layout.ts';
import { temporaryIn } from '../../../../src/core/store/names.ts';
import { openStore, openStoreReadOnly } from '../../../../src/core/store/store.ts';
import { identity, key } from '../../../toy/store.ts';
import { temporaryFolder } from '../../../toy/sweep.ts';

class Death extends Error {}

/** Before an operation is as good as after the last. */
type Moment = 'within' | 'after';

/** What an operation cut short leaves on the disk. */
const halves: { readonly write: (path: string, text: string) => void; readonly remove: (path: string) => void; readonly makeFolder: (path: string) => void; readonly askAnew: (path: string) => void } =
  {
    write: (path, text) => writeFileSync(temporaryIn(dirname(path)), text.slice(0, text.length / 2)),
    remove: path => existsSync(path) && renameSync(path, temporaryIn(dirname(path))),
    makeFolder: path => mkdirSync(dirname(path), { recursive: true }),
    askAnew: path => existsSync(path) && writeFileSync(temporaryIn(path), ''),
  };

/** Files of a process that dies at the operation of that number. `count()` says how many there were. */
function mortalFiles(deadly: number, moment: Moment): Files & { count(): number } {
  let count = 0;
  const mortal =
    <A extends readonly unknown[], R>(name: string, action: (...args: A) => R, half?: (...args: A) => void) =>
    (...args: A): R => {
      count++;
      if (count < deadly) return action(...args);
      if (count === deadly) {
        if (moment === 'after') action(...args);
        else if (moment === 'within') half?.(...args);
      }
      throw new Death(`at operation ${count}: ${name}`); // the dead do nothing more
    };
  const files = Object.fromEntries(
    Object.entries(nodeFiles).map(([name, action]) => [
      name,
      mortal(name, action as (...args: unknown[]) => unknown, halves[name as keyof typeof halves] as ((...args: unknown[]) => void) | undefined),
    ]),
  ) as unknown as Files;
  return {
    ...files,
    count: () => count,
    openAppend: path => {
      const appender = mortal('openAppend', (file: string) => nodeFiles.openAppend(file))(path);
      return {
        append: mortal(
          'append',
          line => appender.append(line),
          (line: string) => appendFileSync(path, line.slice(0, line.length / 2)),
        ),
        sync: mortal('sync', () => appender.sync()),
        close: () => appender.close(),
      };
    },
  };
}

const STEPS = 6;

/** All that the processes of a sweep do to the store for one stage. */
async function live(dir: string, files: Files): Promise<void> {
  const store = openStore(dir, { files });
  store.clearLeftovers();
  store.ensureStage(key, identity, 'a stage');
  const acquired = await store.acquire(key, 'cpu:0');
  if (acquired.type === 'taken') {
    store.tidy(key);
    return;
  }
  const { attempt } = acquired;
  attempt.claim();
  attempt.provenance({ host: 'here' });
  const checkpoints = attempt.checkpoints({ every: 0, warn: () => undefined });
  const from = await checkpoints.latest();
  let sum = from ? Number(readFileSync(join(from.dir, 'sum'), 'utf8')) : 0;
  for (let step = (from?.step ?? 0) + 1; step <= STEPS; step++) {
    sum = sum * 0.5 + step;
    attempt.metric({ step, epoch: step / STEPS, sum });
    if (step % 2 === 0) await checkpoints.save(step, folder => Promise.resolve(writeFileSync(join(folder, 'sum'), String(sum))));
  }
  writeFileSync(join(attempt.output, 'tree'), String(sum));
  await attempt.commit({ sum });
  attempt.close();
  store.tidy(key);
}

/** This process goes on living; that the one which died did not is written into its files. */
function bury(dir: string): void {
  const store = openStoreReadOnly(dir);
  for (const attempt of store.attempts(key)) {
    for (const name of [attemptFiles.owner, attemptFiles.worker]) {
      const file = join(store.attemptDir(key, attempt), name);
      if (existsSync(file)) writeFileSync(file, readFileSync(file, 'utf8').replace(/"started":"\d*"/, '"started":"1"'));
    }
  }
}

/** Lives until it dies. @returns whether it did */
async function dies(dir: string, files: Files): Promise<boolean> {
  try {
    await live(dir, files);
    return false;
  } catch (error) {
    if (!(error instanceof Death)) throw error;
    if (existsSync(join(dir, 'store.json'))) bury(dir);
    return true;
  }
}

/** What is there when all is done. */
function seen(dir: string): unknown {
  const store = openStoreReadOnly(dir);
  return { state: store.state(key).state, result: store.result(key), curve: store.curve(key), tree: readFileSync(join(store.output(key)!, 'tree'), 'utf8') };
}

const attemptsIn = (dir: string): number[] | undefined =>
  existsSync(join(dir, 'store.json')) && openStoreReadOnly(dir).doneAttempt(key) !== undefined ? openStoreReadOnly(dir).attempts(key) : undefined;

async function undisturbed(): Promise<{ readonly all: unknown; readonly operations: number }> {
  const dir = temporaryFolder('crash');
  const files = mortalFiles(Infinity, 'after');
  await live(dir, files);
  return { all: seen(dir), operations: files.count() };
}

test.each<Moment>(['within', 'after'])(
  'death %s any operation',
  async moment => {
    const { all, operations } = await undisturbed();
    expect(operations).toBeGreaterThan(40);
    for (let deadly = 1; deadly <= operations; deadly++) {
      const dir = temporaryFolder('crash');
      expect(await dies(dir, mortalFiles(deadly, moment))).toBe(true);
      const done = attemptsIn(dir);
      await live(dir, nodeFiles);
      expect(seen(dir), `operation ${deadly}`).toEqual(all);
      if (done) expect(openStoreReadOnly(dir).attempts(key), `operation ${deadly}`).toEqual(done);
    }
  },
  120_000,
);

test('death after death', async () => {
  const { all, operations } = await undisturbed();
  const death = fc.tuple(fc.integer({ min: 1, max: operations }), fc.constantFrom<Moment>('within', 'after'));
  await fc.assert(
    fc.asyncProperty(fc.array(death, { minLength: 2, maxLength: 6 }), async deaths => {
      const dir = temporaryFolder('crash');
      let done: number[] | undefined;
      for (const [deadly, moment] of deaths) {
        await dies(dir, mortalFiles(deadly, moment));
        if (done) expect(attemptsIn(dir)).toEqual(done);
        done ??= attemptsIn(dir);
      }
      await live(dir, nodeFiles);
      expect(seen(dir)).toEqual(all);
      if (done) expect(attemptsIn(dir)).toEqual(done);
    }),
    { numRuns: 40 },
  );
}, 120_000);
