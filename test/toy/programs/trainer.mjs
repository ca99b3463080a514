// A program as somebody else writes it: knows nothing of this one but what variables tell it. It "trains" a number, and misbehaves on demand.
import { Buffer } from 'node:buffer';
import { spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const env = process.env;
const { rate, steps, milliseconds = 0, trouble = 'none', at = 0 } = JSON.parse(readFileSync(env.ABLATE_RECIPE, 'utf8'));
const draw = step => createHash('sha256').update(`${env.ABLATE_SEED}/${step}`).digest().readUInt32BE(0) / 2 ** 32;
const metric = line => appendFileSync(env.ABLATE_METRICS, typeof line === 'string' ? line : `${JSON.stringify(line)}\n`);
const result = numbers => writeFileSync(env.ABLATE_RESULT, typeof numbers === 'string' ? numbers : JSON.stringify(numbers));
const save = step => {
  const part = join(env.ABLATE_CHECKPOINTS, 'part');
  mkdirSync(part, { recursive: true });
  writeFileSync(join(part, 'value'), String(value));
  renameSync(part, join(env.ABLATE_CHECKPOINTS, String(step)));
};
const gigabyte = file => {
  const part = Buffer.alloc(2 ** 24, 'x');
  for (let i = 0; i < 64; i++) for (let at = 0; at < part.length;) at += writeSync(file, part, at);
};

let stopping = false;
process.on('SIGTERM', () => (stopping = trouble !== 'deaf'));

let value = env.ABLATE_UPSTREAM_START === undefined ? 0 : Number(readFileSync(join(env.ABLATE_UPSTREAM_START, 'value'), 'utf8'));
let first = 1;
if (env.ABLATE_RESUME !== undefined) {
  value = Number(readFileSync(join(env.ABLATE_RESUME, 'value'), 'utf8'));
  first = Number(env.ABLATE_RESUME.split('/').at(-1)) + 1;
  console.log(`going on from step ${first - 1}`);
}
const fresh = first === 1;

const troubles = {
  none: () => undefined,
  nonsense: () => metric('Epoch 3: loss is going down nicely\n'),
  list: () => metric('[1, 2]\n'),
  nan: () => metric(`{"step": ${at}, "epoch": 1, "loss": NaN}\n`),
  text: () => metric({ step: at, epoch: 1, loss: 'low' }),
  back: () => metric({ step: at - 1, epoch: 1, loss: 1 }),
  'no-epoch': () => metric({ step: at, loss: 1 }),
  'half-line': () => (metric(`{"step": ${at}, "epo`), process.exit(0)),
  'long-line': () => gigabyte(openSync(env.ABLATE_METRICS, 'a')),
  rewrite: () => writeFileSync(env.ABLATE_METRICS, ''),
  'long-print': () => gigabyte(1),
  'much-print': () => console.log('as always\n'.repeat(200_000)),
  die: () => {
    console.error('Traceback of the program');
    console.error('ValueError: no such data');
    process.exit(3);
  },
  'die-once': () => fresh && process.exit(4),
  memory: () => {
    console.error('torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB');
    process.exit(1);
  },
  killed: () => process.kill(process.pid, 'SIGKILL'),
  'killed-writing': () => {
    if (!fresh) return;
    const part = join(env.ABLATE_CHECKPOINTS, 'part');
    mkdirSync(part, { recursive: true });
    writeFileSync(join(part, 'value'), 'half a val');
    process.kill(process.pid, 'SIGKILL');
  },
  'no-result': () => process.exit(0),
  'result-nonsense': () => (result('accuracy: high'), process.exit(0)),
  'result-nan': () => (result('{"accuracy": NaN, "accuracy_se": 0.1}'), process.exit(0)),
  'result-missing': () => (result({ accuracy: 0.5 }), process.exit(0)),
  'result-more': () => (result({ accuracy: 0.5, accuracy_se: 0.1, acuracy: 0.5 }), process.exit(0)),
  'result-percent': () => (result({ accuracy: 50, accuracy_se: 0.1 }), process.exit(0)),
  // One in its group, one that has left it.
  children: () => {
    for (const detached of [false, true]) spawn('sleep', ['600'], { stdio: 'inherit', detached }).unref();
  },
  twins: () => {
    for (const name of ['1.bin', '1.json']) writeFileSync(join(env.ABLATE_CHECKPOINTS, name), '');
  },
  deaf: () => undefined,
};

for (let step = first; step <= steps; step++) {
  await sleep(milliseconds);
  value = value * 0.9 + rate * draw(step);
  metric({ step, steps, epoch: step / steps, value });
  if (step === at) troubles[trouble]();
  if (stopping || step % 5 === 0) save(step);
  if (stopping) process.exit(0);
}
writeFileSync(join(env.ABLATE_OUTPUT, 'value'), String(value));
result({ accuracy: value / 20, accuracy_se: 0.01 });
