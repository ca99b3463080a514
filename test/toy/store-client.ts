/**
 * A store in a process of its own, asked line by line, so that a test can put it on another host: `node store-client.js <store> <lease>`.
 * A line is JSON, `[name, ...arguments]`; so is its answer.
 */
import { createInterface } from 'node:readline';
import type { Attempt } from '../../src/core/store/attempt.ts';
import { openStore } from '../../src/core/store/store.ts';
import { identity, key } from './store.ts';

const [, , dir, lease] = process.argv;
const warnings: string[] = [];
const store = openStore(dir!, { lease: Number(lease), warn: warning => warnings.push(warning) });
let attempt: Attempt | undefined;

const commands = {
  enter: () => store.ensureStage(key, identity, 'stock'),
  state: () => store.state(key),
  /** As a runner that waits. */
  stateAgain: () => {
    store.lookAgain(key);
    return store.state(key);
  },
  acquire: async () => {
    const acquired = await store.acquire(key, 'cpu:0');
    if (acquired.type === 'taken') return acquired;
    ({ attempt } = acquired);
    attempt.claim();
    return { type: acquired.type, attempt: attempt.number };
  },
  commit: (height: number) => attempt!.commit({ height }),
  verify: () => store.verify(key),
  warnings: () => warnings,
};
export type ClientCommand = keyof typeof commands;

for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...args] = JSON.parse(line) as [ClientCommand, number];
  const answer: unknown = await commands[name](...args);
  process.stdout.write(`${JSON.stringify(answer ?? null)}\n`);
}
