/** What arms are made of, as the real program plans them at the real profiles. */
import { describe, expect, it } from 'vitest';
import { command } from '../toy/commands.ts';
import { temporaryFolder } from '../toy/sweep.ts';

const cwd = temporaryFolder('arms');
const environment = { cwd, env: { TINYMIM_CACHE: temporaryFolder('cache'), TINYMIM_DEVICE: 'cpu', ENGINE: 'native' } };

interface PlanJson {
  readonly packs: readonly { readonly kind: string; readonly keys: readonly string[] }[];
}
/** Kinds of the stages that a plan needs, by key. */
async function planned(...args: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const { stdout, exitCode, all } = await command(['plan', '--profile', 'smoke', '--only', 'mae-vs-scratch,sequential', '--json', ...args], environment);
  expect(exitCode, all).toBe(0);
  return new Map((JSON.parse(stdout) as PlanJson).packs.flatMap(({ kind, keys }) => keys.map(key => [key, kind] as const)));
}
let asDeclared: ReturnType<typeof planned> | undefined;
const before = (): ReturnType<typeof planned> => (asDeclared ??= planned());
const setting = (sets: readonly string[]): string[] => sets.flatMap(set => ['--set', set]);

describe('fields that recipes got later', () => {
  it('keep every key where they are written out as they were before', async () => {
    const written = [
      'supervise.init=mae',
      'supervise.pos_embed=sincos',
      'supervise.pool=mean',
      'finetune.pool=mean',
      ...['pretrain', 'distill', 'finetune', 'supervise'].map(stage => `${stage}.optimizer.ema_decay=null`),
    ];
    expect(await planned(...setting(written))).toEqual(await before());
  });

  it.each([
    ['supervise.init=trunc_normal', ['supervise', 'evaluate'], 8],
    ['supervise.pos_embed=learned', ['supervise', 'evaluate'], 8],
    ['supervise.pool=class_token', ['supervise', 'evaluate'], 8],
    ['supervise.optimizer.ema_decay=0.99', ['supervise', 'evaluate'], 8],
    ['finetune.pool=class_token', ['finetune', 'evaluate'], 22],
  ])('%s makes other stages of %j, and of no other kind', async (set, kinds, count) => {
    const [declared, changed] = [await before(), await planned('--set', set)];
    const fresh = [...changed].filter(([key]) => !declared.has(key)).map(([, kind]) => kind);
    expect([...new Set(fresh)].sort()).toEqual([...kinds].sort());
    expect(fresh).toHaveLength(count);
    expect(changed.size).toBe(declared.size);
  });

  it.each([
    ['supervise.init=xavier', /expected one of 'mae', 'trunc_normal', got 'xavier'/],
    ['supervise.optimizer.ema_decay=1', /ema_decay.*got 1/],
    ['pool=class_token', /expected one field, got 2: .*finetune\.pool, supervise\.pool/],
  ])('--set %s is refused', async (set, message) => {
    const { exitCode, all } = await command(['plan', '--profile', 'smoke', '--set', set], environment);
    expect(exitCode).toBe(2);
    expect(all).toMatch(message);
  });
});

it("from scratch is DeiT's at imagenet1k, whose plan says what of it no source gives", async () => {
  const { stdout } = await command(['plan', '--profile', 'imagenet1k', '--only', 'mae-vs-scratch/scratch-t'], environment);
  for (const assumed of ['supervise.init', 'supervise.pos_embed', 'supervise.pool', 'supervise.optimizer.ema_decay']) expect(stdout).toContain(assumed);
});
