import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { StoreError } from '../../../../src/core/store/errors.ts';
import { nodeFiles } from '../../../../src/core/store/files.ts';
import { isAbandoned, madeBy } from '../../../../src/core/store/names.ts';
import { isTagAlive, ownerOf, ownerTag } from '../../../../src/core/store/owner.ts';
import { openStore } from '../../../../src/core/store/store.ts';
import { WorkerOutput } from '../../../../src/core/store/worker-output.ts';
import { begin, key, storeWithStage } from '../../../toy/store.ts';
import { temporaryFolder } from '../../../toy/sweep.ts';

const us = ownerOf(process.pid);
const dead = { ...us, started: '1' };
const elsewhere = { ...us, host: 'elsewhere' };
/** On a host of our name: a cloned machine, or ours before it booted; and in another container. */
const unseen = [elsewhere, { ...us, boot: '01234567-89ab' }, { ...us, namespace: '1' }];

describe('the tag of a process', () => {
  it('tells whether it lives, as far as can be told here', () => {
    expect([us, dead, ...unseen].map(owner => isTagAlive(ownerTag(owner)))).toEqual([true, false, undefined, undefined, undefined]);
    const [alive, gone] = [us, dead].map(owner => isTagAlive(ownerTag({ ...owner, namespace: undefined })));
    expect([alive, gone]).toEqual([true, undefined]); // names of older versions do not say which container
    expect(['', 'x', '1-1764000000000-3', 'a_b'].map(isTagAlive)).toEqual([undefined, undefined, undefined, undefined]);
  });

  it('holds host names of any kind', () => {
    const odd = { ...us, host: `${'long_name.'.repeat(20)}ü/~` };
    expect(ownerTag(odd)).toMatch(/^[A-Za-z0-9.-]{64}_/);
    expect(isTagAlive(ownerTag(odd))).toBeUndefined();
  });
});

describe('what processes left half made', () => {
  /** Every folder in which something is made under a temporary name. */
  async function folders(): Promise<{ store: ReturnType<typeof openStore>; all: string[] }> {
    const { store } = storeWithStage();
    const attempt = await begin(store);
    const { dir } = store;
    store.recordSweep({ profile: 'mini', overrides: [], seeds: [0], arms: [{ ablation: 'a', arm: 'x', seed: 0, stages: { tree: 'k' } }] });
    new WorkerOutput(dir, 'cpu:0');
    const stage = store.stageDir(key);
    return { store, all: [dir, join(dir, 'stages'), join(dir, 'sweeps'), join(dir, 'workers'), stage, join(stage, 'attempts'), attempt.dir, join(attempt.dir, 'checkpoints')] };
  }
  const temporaries = (folder: string): string[] => readdirSync(folder).filter(name => name.startsWith('.tmp-'));

  it('is removed everywhere when they are gone, and only then', async () => {
    const { store, all } = await folders();
    for (const folder of all) {
      mkdirSync(join(folder, `.tmp-${madeBy(dead)}`));
      writeFileSync(join(folder, `.tmp-${madeBy(dead)}`), 'hal');
      for (const owner of [us, ...unseen]) writeFileSync(join(folder, `.tmp-${madeBy(owner)}`), 'at work');
    }
    store.clearLeftovers();
    for (const folder of all) expect(temporaries(folder), folder).toHaveLength(1 + unseen.length);
    expect(store.state(key).state).toBe('running');
  });

  it('of a process of another host, or of nobody known, is removed after a day', async () => {
    const { store, all } = await folders();
    const [young, old] = [0, 25 * 3600].map(age =>
      all.flatMap(folder =>
        ['elsewhere', 'nobody'].map(who => {
          const path = join(folder, who === 'nobody' ? `.tmp-${age}` : `.tmp-${madeBy(elsewhere)}`);
          writeFileSync(path, 'x');
          utimesSync(path, Date.now() / 1e3 - age, Date.now() / 1e3 - age);
          return path;
        }),
      ),
    );
    store.clearLeftovers();
    expect(young!.every(path => existsSync(path))).toBe(true);
    expect(old!.filter(path => existsSync(path))).toEqual([]);
  });

  it('is judged by the clock of the disk: one of ours that is days ahead takes nothing from another host', async () => {
    const { store, all } = await folders();
    for (const folder of all) writeFileSync(join(folder, `.tmp-${madeBy(elsewhere)}`), 'theirs');
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3 * 24 * 3600_000 });
    try {
      store.clearLeftovers();
    } finally {
      vi.useRealTimers();
    }
    for (const folder of all) expect(temporaries(folder), folder).toHaveLength(1);
  });

  it('holds the outputs of workers whose runner is gone', async () => {
    const { store } = await folders();
    const workers = join(store.dir, 'workers');
    const ours = new WorkerOutput(store.dir, 'gpu:1');
    writeFileSync(ours.path, 'a line');
    writeFileSync(join(workers, 'notes.txt'), 'of somebody');
    utimesSync(join(workers, 'notes.txt'), 1, 1);
    writeFileSync(join(workers, `cpu-0-${madeBy(dead)}.txt`), 'Segmentation fault');
    store.clearLeftovers();
    expect(readdirSync(workers).sort()).toEqual([ours.path.slice(workers.length + 1), 'notes.txt'].sort());
  });

  it('is nothing that counts: names of attempts, checkpoints, sweeps and stages are never taken for it', async () => {
    const { store } = await folders();
    const before = readdirSync(store.dir, { recursive: true, encoding: 'utf8' }).sort();
    store.clearLeftovers();
    expect(readdirSync(store.dir, { recursive: true, encoding: 'utf8' }).sort()).toEqual(before);
  });

  it('stays, with a warning, where nothing can be changed', () => {
    const warnings: string[] = [];
    const files = {
      ...nodeFiles,
      remove: () => {
        throw new StoreError('STORE_READ_ONLY', 'Could not write it.');
      },
    };
    const { store } = storeWithStage({ files, warn: w => warnings.push(w) });
    writeFileSync(join(store.dir, `.tmp-${madeBy(dead)}`), 'x');
    store.clearLeftovers();
    expect(warnings).toEqual(['Could not write it. What killed processes left half made stays there.']);
  });

  it('may vanish while we look, as when two sweeps begin at once', () => {
    const dir = temporaryFolder('vanished');
    const path = join(dir, `.tmp-${madeBy(elsewhere)}`);
    expect(isAbandoned(path, Date.now)).toBe(false);
    nodeFiles.remove(path);
    expect(readdirSync(dir)).toEqual([]);
  });
});
