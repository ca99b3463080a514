/** Whole set-ups and sweeps in surroundings that are broken in one way each. What the end-to-end tests show in parts runs whole here. */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execaSync } from 'execa';
import { diagnosisSchema } from '../../src/setup/diagnosis.ts';
import { Checkout, type Result, type RunOptions } from './checkout.ts';
import { driverTool, otherUser, pathWith, smallDisk } from './machine.ts';
import { wheelIndex, type Mirror } from './servers.ts';

export interface Scenario {
  readonly name: string;
  readonly situation: string;
  /** What happened, in a sentence. @throws Error where something else did */
  readonly run: (tools: Tools) => Promise<string>;
}

interface Tools {
  /** Folder with the real wheel. */
  readonly wheels: string;
  readonly say: (line: string) => void;
}

/** This machine cannot show it. */
export class NotHere extends Error {}

function expectEqual(what: string, actual: unknown, expected: unknown, output = ''): void {
  if (actual !== expected) throw new Error(`Expected ${what} to be ${String(expected)}, got ${String(actual)}.\n${output}`);
}

function expectText({ all }: Result, pattern: RegExp): void {
  if (!pattern.test(all)) throw new Error(`Expected ${String(pattern)} in what it printed, got:\n${all}`);
}

async function works(run: Promise<Result>): Promise<Result> {
  const result = await run;
  expectEqual('the exit code', result.exitCode, 0, result.all);
  return result;
}

async function fails(run: Promise<Result>, pattern: RegExp): Promise<void> {
  const result = await run;
  expectEqual('the exit code', result.exitCode !== 0, true, result.all);
  expectText(result, pattern);
  if (/^\s+at .*:\d+:\d+\)?$/m.test(result.all)) throw new Error(`Expected one message, got a stack trace:\n${result.all}`);
}

/** The doctor's word on the engine. */
async function expectEngine(checkout: Checkout, name: 'tensorflow' | 'wasm', options?: RunOptions): Promise<void> {
  const { all } = await checkout.ablate('doctor --json', options);
  const { engine } = diagnosisSchema.parse(JSON.parse(all));
  expectEqual('the engine', `${engine?.name ?? 'none'}, works: ${String(engine?.ok)}`, `${name}, works: true`, all);
}

/** Nothing half-done is left in a cache. */
function expectTidy(cache: string): void {
  const left = ['downloads', 'libraries', 'locks', 'bindings'].flatMap(name => (existsSync(path.join(cache, name)) ? readdirSync(path.join(cache, name)) : []));
  expectEqual('what is left over', left.filter(name => !/^(?:tfjs-node|tensorflow-cpu)-\d[^/]*$/.test(name) || name.endsWith('.lock')).join(), '');
}

async function within<T>(checkout: Checkout, mirror: Mirror | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    mirror?.close();
    checkout.remove();
  }
}

/** Waits for a sign that a set-up has come so far. */
async function until(sign: () => boolean): Promise<void> {
  for (let waited = 0; !sign(); waited += 50) {
    if (waited > 300_000) throw new Error('Expected set-up to come so far within five minutes, got nothing.');
    await sleep(50);
  }
}

const NOWHERE = 'http://127.0.0.1:9';
const TOOLS = ['sh', 'node', 'npm', 'make', 'awk', 'env'];
/** Something lies in a folder and in a temporary folder of it. */
const some = (folder: string): boolean => existsSync(folder) && readdirSync(folder, { recursive: true }).length > 1;

export const scenarios: readonly Scenario[] = [
  {
    name: 'path',
    situation: 'a path with spaces and letters beyond ASCII; a mirror in pip.conf',
    async run({ wheels }) {
      const mirror = await wheelIndex(wheels),
        checkout = new Checkout('tiny mim – Ünïcode 漢字');
      return within(checkout, mirror, async () => {
        checkout.configure({ index: mirror.url });
        await works(checkout.smoke());
        expectEqual('the requests to the mirror', mirror.requests.length, 2);
        await expectEngine(checkout, 'tensorflow');
        expectTidy(checkout.cache);
        await works(checkout.toy('--store runs-wasm --reports reports-wasm', { env: { ENGINE: 'wasm' } }));
        return 'make sweep sets up from the mirror and trains; wasm trains too';
      });
    },
  },
  {
    name: 'interrupted',
    situation: 'set-up killed (SIGKILL) while it downloads, unpacks and compiles',
    async run({ wheels, say }) {
      const slow = await wheelIndex(wheels, 60e6),
        checkout = new Checkout();
      return within(checkout, slow, async () => {
        checkout.configure({ index: slow.url });
        const at = (...names: string[]): string => path.join(checkout.cache, ...names);
        const moments: [string, () => boolean][] = [
          ['downloading', () => some(at('downloads'))],
          ['unpacking', () => some(at('libraries'))],
          ['compiling', () => some(at('bindings'))],
        ];
        for (const [moment, sign] of moments) {
          const run = checkout.start('make --no-print-directory setup');
          await until(sign);
          await sleep(500);
          run.kill();
          await run.ended;
          say(`killed while ${moment}`);
        }
        await works(checkout.make('setup'));
        await expectEngine(checkout, 'tensorflow');
        expectTidy(checkout.cache);
        expectEqual('the downloads', slow.requests.filter(url => url.endsWith('.whl')).length, 2);
        return 'the next call goes on from the last whole step; nothing half-done is left';
      });
    },
  },
  {
    name: 'two-at-once',
    situation: 'two `make setup` at once in a fresh clone',
    async run({ wheels }) {
      const mirror = await wheelIndex(wheels),
        checkout = new Checkout('checkout', { packages: false });
      return within(checkout, mirror, async () => {
        checkout.configure({ index: mirror.url });
        const env = { PIP_INDEX_URL: `${mirror.url}/simple`, HOME: os.homedir() }; // npm's registry is the user's
        const [a, b] = await Promise.all([works(checkout.make('setup', { env })), works(checkout.make('setup', { env }))]);
        expectEqual('the installations of npm packages', [a, b].filter(({ all }) => all.includes('Installing the npm packages')).length, 1, a.all + b.all);
        expectEqual('the downloads', mirror.requests.filter(url => url.endsWith('.whl')).length, 1);
        await expectEngine(checkout, 'tensorflow');
        expectTidy(checkout.cache);
        return 'one of them works, the other waits and says so; both end well';
      });
    },
  },
  {
    name: 'user',
    situation: 'a user without rights or name, home not writable (a container)',
    async run({ wheels }) {
      const { prefix, reason } = otherUser(54_321);
      if (reason !== undefined) throw new NotHere(reason);
      const mirror = await wheelIndex(wheels),
        checkout = new Checkout();
      return within(checkout, mirror, async () => {
        execaSync('chown', ['-R', '54321:65534', checkout.root]);
        mkdirSync(checkout.cache);
        execaSync('chown', ['54321:65534', checkout.cache]);
        const options = { prefix, env: { HOME: '/nonexistent', PATH: '/usr/local/bin:/usr/bin:/bin', PIP_INDEX_URL: `${mirror.url}/simple` } };
        await fails(
          checkout.make('setup', { ...options, env: { ...options.env, TINYMIM_CACHE: undefined } }),
          /error Expected to be able to write to the cache \/nonexistent[^]*export TINYMIM_CACHE=/,
        );
        await works(checkout.make('setup', options));
        await works(checkout.ablate('plan', options));
        await works(checkout.smoke(options));
        await expectEngine(checkout, 'tensorflow', options);
        return 'one message names TINYMIM_CACHE; with it, set-up, plan and sweep work';
      });
    },
  },
  {
    name: 'read-only',
    situation: 'checkout, packages and cache of another user, not writable (the image of a container)',
    async run() {
      const { prefix, reason } = otherUser(65_534);
      if (reason !== undefined) throw new NotHere(reason);
      const checkout = new Checkout();
      return within(checkout, undefined, async () => {
        checkout.provisionCache();
        await works(checkout.make('setup'));
        await works(checkout.make('setup', { env: { ENGINE: 'wasm' } }));
        const room = path.join(checkout.folder, 'room');
        mkdirSync(room, { mode: 0o777 });
        execaSync('chown', ['65534:65534', room]);
        const options = { prefix, env: { HOME: '/nonexistent', PATH: '/usr/local/bin:/usr/bin:/bin' } };
        for (const engine of ['native', 'wasm']) {
          const env = { ...options.env, ENGINE: engine };
          await works(checkout.make('setup', { ...options, env }));
          await works(checkout.toy(`--store ${room}/${engine} --reports ${room}/${engine}-reports`, { ...options, env }));
        }
        return 'set-up finds all there; sweeps run with --store and --reports elsewhere';
      });
    },
  },
  {
    name: 'no-tools',
    situation: 'no compiler, no Python, pip offline',
    async run() {
      const checkout = new Checkout();
      return within(checkout, undefined, async () => {
        const env = { PATH: pathWith(checkout.folder, ...TOOLS), PIP_INDEX_URL: NOWHERE };
        const result = await works(checkout.smoke({ env }));
        expectText(result, /warning No native TensorFlow here: .*C\+\+ compiler.*Going on with WebAssembly: a training step takes 4 to 6 times as long.*\n/);
        expectText(result, /workers? of WebAssembly\)/);
        await expectEngine(checkout, 'wasm', { env });
        return 'make sweep says that it goes on with wasm, why, and what gives the native engine; it ends with a report';
      });
    },
  },
  {
    name: 'wasm',
    situation: '`ENGINE=wasm make sweep` where everything native would work',
    async run({ wheels }) {
      const mirror = await wheelIndex(wheels),
        checkout = new Checkout();
      return within(checkout, mirror, async () => {
        checkout.configure({ index: mirror.url });
        const { all } = await works(checkout.smoke({ env: { ENGINE: 'wasm' } }));
        expectEqual('the requests to the mirror', mirror.requests.length, 0);
        expectEqual('what is in the cache', readdirSync(checkout.cache).join(), 'data');
        expectEqual('a warning', all.includes('warning No native'), false, all);
        return 'nothing is downloaded but the data, nothing compiled, nothing warned of';
      });
    },
  },
  {
    name: 'full-disk',
    situation: 'the disk of the cache fills up while the library is downloaded, and while it is unpacked',
    async run({ wheels, say }) {
      const slow = await wheelIndex(wheels, 40e6),
        checkout = new Checkout();
      return within(checkout, slow, async () => {
        checkout.configure({ index: slow.url });
        mkdirSync(checkout.cache);
        const { unmount, reason } = smallDisk(checkout.cache, 1400);
        if (reason !== undefined) throw new NotHere(reason);
        try {
          const ballast = path.join(checkout.cache, 'ballast');
          for (const [place, message] of [
            ['downloads', /error The disk of the cache is full[^]*To mend it: free some space/],
            ['libraries', /error Could not unpack[^]*No space left on device[^]*To mend it: check the disk/],
          ] as const) {
            const run = checkout.run('make --no-print-directory setup');
            await until(() => some(path.join(checkout.cache, place)));
            execaSync('dd', ['if=/dev/zero', `of=${ballast}`, 'bs=1M'], { reject: false });
            await fails(run, message);
            rmSync(ballast);
            say(`full while in ${place}: told so`);
          }
          await works(checkout.make('setup'));
          expectTidy(checkout.cache);
          return 'one message each time; once there is room, the same call goes on';
        } finally {
          unmount();
        }
      });
    },
  },
  {
    name: 'offline',
    situation: 'npm and pip offline after set-up',
    async run() {
      const checkout = new Checkout();
      return within(checkout, undefined, async () => {
        checkout.provisionCache();
        await works(checkout.make('setup'));
        checkout.configure({ index: NOWHERE, registry: `${NOWHERE}/` });
        await works(checkout.smoke());
        return 'nothing is asked of the network';
      });
    },
  },
  {
    name: 'idle-gpu',
    situation: 'an NVIDIA driver that lists a GPU which CUDA cannot use',
    async run() {
      const checkout = new Checkout();
      return within(checkout, undefined, async () => {
        checkout.provisionCache();
        const lib = path.join(checkout.folder, 'lib');
        mkdirSync(lib);
        writeFileSync(path.join(lib, 'libcuda.so.1'), ''); // hides one that may be there
        const env = { PATH: `${driverTool(checkout.folder)}:${process.env['PATH']!}`, LD_LIBRARY_PATH: lib };
        expectText(await works(checkout.smoke({ env })), /warning NVIDIA H100.*cannot be used: .*Going on with the CPU/);
        await fails(checkout.toy('', { env: { ...env, TINYMIM_DEVICE: 'gpu' } }), /error Expected an NVIDIA GPU \(TINYMIM_DEVICE=gpu\), got none that can be used/);
        return 'says so, takes the CPU build and trains; with TINYMIM_DEVICE=gpu it refuses';
      });
    },
  },
];
