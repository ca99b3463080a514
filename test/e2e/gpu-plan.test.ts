/** What the program says and refuses of GPUs, on a machine whose driver's tool is a few lines of shell: nothing here computes on one. */
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { command } from '../toy/commands.ts';
import { toyEnvironment } from '../toy/program.ts';
import { cardLine, driverTool, openFolder } from '../surroundings/machine.ts';

let folder: string;
beforeAll(() => {
  folder = openFolder('cards');
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

interface PlanJson {
  readonly card: { readonly limit: number } | null;
  readonly packs: readonly { readonly keys: readonly string[] }[];
  readonly stated: readonly { readonly hours: number; readonly flopsPerSecond: number }[];
  readonly cost: { readonly flops: number };
  readonly stages: readonly {
    readonly key: string;
    readonly kind: string;
    readonly recipe: { readonly model?: { readonly embed_dim: number }; readonly schedule: { readonly batch_size: number; readonly accumulation_steps: number } };
    readonly card?: { readonly microBatches: number; readonly bytes: number };
  }[];
}

/** @param mebibytes of each of two cards, as the driver tells */
const ablate = (args: readonly string[], mebibytes: number | '[N/A]' = 24_576) => {
  const tool = driverTool(folder, undefined, [cardLine(0, mebibytes), cardLine(1, mebibytes)]);
  return command(args, { cwd: folder, env: { ...toyEnvironment, PATH: `${tool}:${process.env['PATH']!}` } });
};
const plan = async (devices: string, mebibytes?: number, ...more: string[]): Promise<PlanJson> =>
  JSON.parse((await ablate(['plan', '--json', '--profile', 'imagenet1k', '--only', 'relation/qk-vv', '--set', 'teachers.L=null', '--devices', devices, ...more], mebibytes)).stdout) as PlanJson;

/** Images at a time, and gigabytes, of a stage of a kind and width. */
function taken({ stages }: PlanJson, kind: string, width: number): { images: number; gigabytes: number } {
  const { recipe, card } = stages.find(stage => stage.kind === kind && stage.recipe.model?.embed_dim === width)!;
  const { batch_size, accumulation_steps } = recipe.schedule;
  return { images: batch_size / accumulation_steps / card!.microBatches, gigabytes: Math.round(card!.bytes / 1e8) / 10 };
}

describe('the memory of a card', () => {
  it("decides, before anything fails, in how many micro-batches the paper's stages run at 24 and at 80 GB", async () => {
    const small = await plan('gpu:0'),
      large = await plan('gpu:0', 81_920);
    const largest = ['--only', 'strategy-size', '--set', 'model.sizes.B={"embed_dim":1024,"depth":24,"num_heads":16}'];
    const tuned = async (mebibytes: number) => taken(await plan('gpu:0', mebibytes, ...largest), 'finetune', 1024);
    // 256 images at a time are what the recipe says.
    expect({
      distilled: [taken(small, 'distill', 768), taken(large, 'distill', 768)],
      pretrained: [taken(small, 'pretrain', 1024), taken(large, 'pretrain', 1024)],
      tuned: [await tuned(24_576), await tuned(81_920)],
    }).toEqual({
      distilled: [
        { images: 64, gigabytes: 19.4 },
        { images: 256, gigabytes: 62.5 },
      ],
      pretrained: [
        { images: 32, gigabytes: 15.4 },
        { images: 256, gigabytes: 64.3 },
      ],
      tuned: [
        { images: 16, gigabytes: 16.1 },
        { images: 64, gigabytes: 40.8 },
      ],
    });
    expect(small.card!.limit).toBeCloseTo(0.85 * 24 * 2 ** 30);
  });

  it('is divided by the workers on it, and is not that of the machine', async () => {
    const alone = await plan('gpu:0', 81_920),
      shared = await plan('gpu:0x2', 81_920);
    expect(shared.card!.limit).toBeCloseTo(alone.card!.limit / 2);
    expect(taken(shared, 'distill', 768).images).toBe(taken(alone, 'distill', 768).images / 2);
    expect((await plan('cpu:1x1')).card).toBeNull();
  });

  it('that is too small however a batch is divided is told by plan, and refused by sweep', async () => {
    const toy = ['--experiments', fileURLToPath(new URL('../toy/experiments', import.meta.url)), '--profile', 'quick', '--only', 'cut', '--devices', 'gpu:0'];
    // A graft takes 8 MB in as many as 4 parts, and 1 MB beside.
    const reason = /graft of cut\/whole, cut\/half, cut\/none: expected stages that fit into 2\.1 MB of memory, got up to 3 MB by estimate/;
    expect((await ablate(['plan', ...toy], 2)).stdout.replaceAll(/\s+/g, ' ')).toMatch(reason);
    const { exitCode, stderr } = await ablate(['sweep', ...toy, '--no-report'], 2);
    expect(stderr).toMatch(reason);
    expect(exitCode).toBe(2);
    expect((await ablate(['plan', ...toy], 3)).stdout).not.toContain('Note');
  });

  it('changes no key', async () => {
    const keys = ({ stages }: PlanJson): string[] => stages.map(stage => stage.key);
    expect(keys(await plan('gpu:0'))).toEqual(keys(await plan('cpu:1x1')));
  });

  it('sizes packs', async () => {
    const largest = async (mebibytes: number): Promise<number> => {
      const { packs } = await plan('gpu:0', mebibytes, '--only', 'relation');
      return Math.max(...packs.map(pack => pack.keys.length));
    };
    expect(await largest(143_771)).toBeGreaterThan(await largest(24_576));
    expect(await largest(8_192)).toBe(1);
  });

  it('is told in the plan, or that it is not known', async () => {
    const args = ['plan', '--profile', 'imagenet1k', '--only', 'relation/qk-vv', '--set', 'teachers.L=null', '--devices', 'gpu:0'];
    const text = (await ablate(args)).stdout.replaceAll(/\s+/g, ' ');
    expect(text).toContain('Memory 21.9 GB of a GPU for each worker; by estimates, which no card has confirmed yet: pretrain up to');
    const unknown = await ablate(args, '[N/A]');
    expect(unknown.stderr).toContain('The memory of GPU 0 is not known');
    expect(unknown.stdout).not.toContain('Memory');
  });
});

describe('precision', () => {
  it('is told in the plan with the hours of each, and those that no number of cards shortens', async () => {
    const { stdout } = await ablate(['plan', '--profile', 'imagenet1k', '--only', 'relation/qk-vv', '--set', 'teachers.L=null', '--devices', 'gpu:0,1'], 81_920);
    const told =
      /Hardware ([\d,]+) A100 GPU-hours for what is to run, ([\d,]+) of them one after the other, .*; with engine\.precision=tf32 ([\d,]+) and ([\d,]+); with engine\.precision=bfloat16 ([\d,]+) and ([\d,]+)/;
    const [all, chain, tf32, tf32Chain, bfloat16] = told
      .exec(stdout.replaceAll(/\s+/g, ' '))!
      .slice(1)
      .map(text => Number(text.replaceAll(',', '')));
    expect(chain).toBeLessThan(all!);
    expect(all! / bfloat16!).toBeCloseTo(9.14, 1);
    expect(chain! / tf32Chain!).toBeCloseTo(all! / tf32!, 1);
  });

  it('decides the hours: a float32 run takes nine times those of bfloat16', async () => {
    const hours = async (precision: string): Promise<number> => {
      const { stated, cost } = await plan('gpu:0', 81_920, '--set', `engine.precision=${precision}`);
      expect(stated).toHaveLength(1);
      expect(stated[0]!.hours).toBeCloseTo(cost.flops / stated[0]!.flopsPerSecond / 3600);
      return stated[0]!.hours;
    };
    const [float32, tf32, bfloat16] = [await hours('float32'), await hours('tf32'), await hours('bfloat16')];
    expect(float32 / bfloat16).toBeCloseTo(9.14, 1);
    expect(tf32 / bfloat16).toBeCloseTo(2);
  });

  it('tf32 is refused on the CPU before anything runs', async () => {
    const { exitCode, stderr } = await ablate([
      'sweep',
      '--profile',
      'mini',
      '--only',
      'relation/qk-vv',
      '--set',
      'engine.precision=tf32',
      '--devices',
      'gpu:0,cpu:1x1',
      '--store',
      'store',
      '--no-report',
    ]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('expected workers on NVIDIA GPUs alone for tf32, which no CPU computes, got workers on the CPU; set engine.precision to float32');
  });
});
