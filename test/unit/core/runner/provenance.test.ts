import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, hostname, totalmem } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { readCommitted } from '../../../../src/core/report/baseline/source.ts';
import { codeState, DIFF_BYTES, refusals } from '../../../../src/core/runner/code-state.ts';
import { EnergyMeter } from '../../../../src/core/runner/energy.ts';
import type { Task } from '../../../../src/core/runner/executors/executor.ts';
import { gpuModels, JobMeter, Provenance, recordedEnvironment } from '../../../../src/core/runner/provenance.ts';
import { CUT, holdsSecret, publicCommand, publicDiff, withoutSecrets } from '../../../../src/core/runner/secrets.ts';
import { begin, storeWithStage } from '../../../toy/store.ts';
import { temporaryFolder } from '../../../toy/sweep.ts';

/** None of them is anybody's: made up in the forms that real ones have. Joined, so that no scanner takes them for real. */
const tokens = [
  ['ghp_', 'a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8'],
  ['github_pat_', '11AAAAAAA0abcdefghijkl_0123456789ab'],
  ['hf_', 'AbCdEfGhIjKlMnOpQrStUvWxYz012345'],
  ['sk-', 'proj-abcdef0123456789ABCDEF'],
  ['AKIA', 'IOSFODNN7EXAMPLE'],
  ['xoxb-', '123456789012-abcdefABCDEF'],
  ['npm_', 'abcdefghijklmnopqrstuvwxyz0123456789'],
  ['eyJ', 'hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3'],
  ['', '0123456789abcdef0123456789abcdef01234567'],
  ['', 'wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY1'],
].map(parts => parts.join(''));

const harmless = [
  '/usr/lib/x86_64-linux-gnu/libtcmalloc.so.4',
  '--xla_cpu_multi_thread_eigen=false',
  'relation/qk-vv,masking/mask-75',
  'experiments/ablations/side-by-side.ts',
  '--max-old-space-size=8192',
  'cpu:2x1',
  '2026-11-24T12:00:00.000Z',
  'TF_ENABLE_ONEDNN_OPTS',
];

describe('secrets', () => {
  it.each(tokens)('%s is cut out of texts', token => {
    expect(withoutSecrets(`before ${token} after`)).not.toContain(token.slice(4));
    expect(holdsSecret(`x=${token}`)).toBe(true);
  });

  it('in addresses, headers and keys are cut', () => {
    expect(withoutSecrets('https://me:hunter2@host/x')).toBe(`https://${CUT}host/x`);
    expect(withoutSecrets('Authorization: Bearer abc123')).toBe(`Authorization: Bearer ${CUT}`);
    expect(withoutSecrets(['-----BEGIN RSA', 'PRIVATE KEY-----\nabc\n-----END RSA', 'PRIVATE KEY-----'].join(' '))).toBe(CUT);
  });

  it.each(harmless)('%s is left as it is', text => expect(withoutSecrets(text)).toBe(text));

  it('are cut out of command lines by the name of their option and by their look', () => {
    const line = ['node', 'ablate.mjs', 'sweep', '--token', 'swordfish', '--password=hunter2', 'API_KEY=letmein', '--set', 'milliseconds=80', tokens[0]!];
    expect(publicCommand(line)).toEqual(['node', 'ablate.mjs', 'sweep', '--token', CUT, `--password=${CUT}`, `API_KEY=${CUT}`, '--set', 'milliseconds=80', CUT]);
    expect(publicCommand(['--token', '--dry-run'])).toEqual(['--token', '--dry-run']);
  });

  it('are cut out of diffs, whose versions of files stay', () => {
    const diff = `index 0123456789abcdef0123456789abcdef01234567..89abcdef0123456789abcdef0123456789abcdef 100644\n-const lr = 0.1;\n+const lr = 0.2;\n+const apiKey = "swordfish1";\n+password: hunter2000\n+const key = layout.stage(dir);\n+// ${tokens[2]!}`;
    expect(publicDiff(diff)).toBe(
      `index 0123456789abcdef0123456789abcdef01234567..89abcdef0123456789abcdef0123456789abcdef 100644\n-const lr = 0.1;\n+const lr = 0.2;\n+const apiKey = "${CUT}";\n+password: ${CUT}\n+const key = layout.stage(dir);\n+// ${CUT}`,
    );
  });
});

describe('the environment that is recorded', () => {
  it('is what changes how a worker runs, and nothing else', () => {
    const env = {
      TF_ENABLE_ONEDNN_OPTS: '0',
      XLA_FLAGS: '--xla_cpu_multi_thread_eigen=false',
      CUDA_VISIBLE_DEVICES: '0',
      OMP_NUM_THREADS: '2',
      TINYMIM_CACHE: '/tmp/cache',
      NODE_OPTIONS: '--max-old-space-size=8192',
      HOME: '/root',
      PATH: '/bin',
      AWS_REGION: 'x',
      TFOO: 'x',
      TF_VAR_database: 'hunter2',
      TF_CLI_CONFIG_FILE: 'x',
      TOY_GREENHOUSE: 'warm',
      MISSING: undefined,
    };
    expect(recordedEnvironment(env, ['TOY_GREENHOUSE', 'MISSING'])).toEqual({
      CUDA_VISIBLE_DEVICES: '0',
      NODE_OPTIONS: '--max-old-space-size=8192',
      OMP_NUM_THREADS: '2',
      TF_ENABLE_ONEDNN_OPTS: '0',
      TINYMIM_CACHE: '/tmp/cache',
      TOY_GREENHOUSE: 'warm',
      XLA_FLAGS: '--xla_cpu_multi_thread_eigen=false',
    });
  });

  it('never holds a secret, whatever its name', () => {
    const env = { TINYMIM_TOKEN: 'x', TF_API_KEY: 'x', TINYMIM_PASSWORD: 'x', NODE_OPTIONS: `--title=${tokens[0]!}`, TINYMIM_MIRROR: 'https://me:hunter2@host', STAGE_SECRET: 'x' };
    expect(recordedEnvironment(env, Object.keys(env))).toEqual({});
  });
});

describe('the code that is recorded', () => {
  /** A checkout with one commit. */
  function checkout(): { root: string; git: (...args: string[]) => string } {
    const root = temporaryFolder('checkout');
    const git = (...args: string[]): string =>
      execFileSync('git', ['-C', root, '-c', 'user.name=t', '-c', 'user.email=t@t', ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    git('init', '-q');
    writeFileSync(join(root, 'train.ts'), 'const lr = 0.1;\n');
    git('add', '.');
    git('commit', '-q', '-m', 'first');
    return { root, git };
  }

  it('of a clean tree is its commit, without a diff', () => {
    const { root, git } = checkout();
    expect(codeState(root)).toEqual({ facts: { commit: git('rev-parse', 'HEAD'), dirty: false }, diff: undefined });
  });

  it('of a dirty tree is also its diff, staged or not, which git can apply', () => {
    const { root, git } = checkout();
    writeFileSync(join(root, 'train.ts'), 'const lr = 0.2;\n');
    writeFileSync(join(root, 'staged.ts'), 'export {};\n');
    git('add', 'staged.ts');
    writeFileSync(join(root, 'unknown.ts'), 'x');
    const { facts, diff } = codeState(root);
    expect(facts).toMatchObject({ dirty: true, diff: { bytes: Buffer.byteLength(diff!), complete: true } });
    expect(diff).toMatch(/^untracked: unknown\.ts\n/);
    expect(diff).toContain('-const lr = 0.1;\n+const lr = 0.2;');
    expect(diff).toContain('+export {};');
    git('reset', '-q', '--hard');
    const patch = join(temporaryFolder('patch'), 'diff.patch');
    writeFileSync(patch, diff!);
    git('apply', patch);
    expect(readFileSync(join(root, 'train.ts'), 'utf8')).toBe('const lr = 0.2;\n');
  });

  it.each([1, 10])('of a tree with %i times too long a diff is cut, and says so', times => {
    const { root } = checkout();
    writeFileSync(join(root, 'train.ts'), 'ü line of code\n'.repeat((times * 2 * DIFF_BYTES) / 15));
    const { facts, diff } = codeState(root);
    expect(facts).toMatchObject({ dirty: true, diff: { complete: false } });
    expect(Buffer.byteLength(diff!)).toBeLessThanOrEqual(DIFF_BYTES);
    expect(Buffer.byteLength(diff!)).toBeGreaterThan(DIFF_BYTES - 4);
    expect(diff).not.toContain('\uFFFD');
  });

  it('is that of the folder, whatever repository and index a hook of git is at work with', async () => {
    const { root, git } = checkout();
    const commit = git('rev-parse', 'HEAD');
    const other = checkout();
    other.git('commit', '-q', '--allow-empty', '-m', 'another');
    for (const [name, value] of Object.entries({ GIT_DIR: join(other.root, '.git'), GIT_WORK_TREE: other.root, GIT_INDEX_FILE: '/nowhere/index', GIT_NAMESPACE: 'n' })) vi.stubEnv(name, value);
    try {
      expect(codeState(root).facts).toEqual({ commit, dirty: false });
      expect(await readCommitted('HEAD', root, ['train.ts'])).toEqual({ commit, texts: new Map([['train.ts', 'const lr = 0.1;\n']]) });
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it('of a folder within a checkout is that of the checkout; before its first commit that is said', () => {
    const { root, git } = checkout();
    mkdirSync(join(root, 'experiments'));
    expect(codeState(join(root, 'experiments')).facts).toEqual({ commit: git('rev-parse', 'HEAD'), dirty: false });
    const empty = temporaryFolder('empty');
    execFileSync('git', ['init', '-q', empty]);
    writeFileSync(join(empty, 'study.ts'), '');
    expect(codeState(empty)).toEqual({ facts: { commit: null, dirty: true, commit_unknown: 'there is no commit yet' }, diff: undefined });
  });

  it('of a repository that git cannot read is not known, with the reason', () => {
    const { root } = checkout();
    writeFileSync(join(root, '.git/config'), '[core\n');
    expect(codeState(root)).toEqual({ facts: { commit: null, dirty: null, commit_unknown: expect.stringContaining('bad config line 1') as string }, diff: undefined });
    expect(refusals(root)).toEqual([expect.stringContaining(`${root}: expected git to tell its commit, got: git refuses: bad config line 1`) as string]);
  });

  it('outside a checkout is not known', () => {
    expect(codeState(temporaryFolder('none'))).toEqual({ facts: { commit: null, dirty: null }, diff: undefined });
  });

  it('of a package is not that of the repository around it', () => {
    const { root } = checkout();
    const folder = join(root, 'node_modules', 'tinymim-ablations');
    mkdirSync(folder, { recursive: true });
    expect(codeState(folder)).toEqual({ facts: { commit: null, dirty: null }, diff: undefined });
  });
});

describe('energy', () => {
  function counters(microjoules: readonly number[]): { root: string; set: (i: number, value: number) => void } {
    const root = temporaryFolder('powercap');
    const set = (i: number, value: number): void => writeFileSync(join(root, `intel-rapl:${i}`, 'energy_uj'), `${value}\n`);
    microjoules.forEach((value, i) => {
      mkdirSync(join(root, `intel-rapl:${i}`));
      writeFileSync(join(root, `intel-rapl:${i}`, 'max_energy_range_uj'), '10000000\n');
      set(i, value);
    });
    // A part of the first processor, which counts in it already.
    mkdirSync(join(root, 'intel-rapl:0:0'));
    for (const file of ['energy_uj', 'max_energy_range_uj']) writeFileSync(join(root, 'intel-rapl:0:0', file), '5000000\n');
    return { root, set };
  }

  it('is the sum over processors since the start, also when a counter begins again', () => {
    const { root, set } = counters([1_000_000, 9_500_000]);
    const meter = new EnergyMeter(root);
    expect(meter.joules()).toBe(0);
    set(0, 3_000_000);
    set(1, 500_000);
    expect(meter.joules()).toBe(3);
    set(0, 3_500_000);
    expect(meter.joules()).toBe(3.5);
  });

  it('is not known where no counter can be read', () => {
    expect(new EnergyMeter('/nowhere').joules()).toBeUndefined();
    const { root } = counters([1]);
    rmSync(join(root, 'intel-rapl:0', 'energy_uj'));
    expect(new EnergyMeter(root).joules()).toBeUndefined();
  });
});

describe('provenance', () => {
  const task: Task = {
    experiments: '/e',
    store: '/s',
    attempts: [{ key: 'k', attempt: 1 }],
    place: 'cpu:0',
    environment: {},
    checkpointEvery: 1,
    execution: { device: 'cpu', threads: 1, dataDir: '/d', acceptEngineChange: false },
    command: ['ablate', '--token', 'swordfish'],
  };

  it('says where, when, by which code and at what cost', () => {
    const facts = new Provenance(task, new JobMeter(task)).facts();
    expect(facts).toMatchObject({
      host: hostname(),
      node: process.version,
      cpu: cpus()[0]!.model,
      cores: cpus().length,
      memory_bytes: totalmem(),
      pid: process.pid,
      package: expect.stringMatching(/^tinymim-ablations \d/) as string,
      packages: expect.objectContaining({ zod: expect.stringMatching(/^\d+\.\d+\.\d+/) as string }) as object,
      command: ['ablate', '--token', CUT],
      place: 'cpu:0',
      threads: 1,
    });
    for (const name of ['wall_seconds', 'cpu_seconds', 'peak_memory_bytes']) expect(facts[name]).toBeGreaterThan(0);
    expect(JSON.stringify(facts)).not.toContain('swordfish');
    expect(facts).toHaveProperty('commit');
    expect(facts).toHaveProperty('gpus');
  });

  it('ends as long after its start as the job took, whatever becomes of the clock', () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-03-01T12:00:00Z') });
    try {
      const provenance = new Provenance(task, new JobMeter(task));
      vi.setSystemTime(Date.parse('2026-02-01T12:00:00Z'));
      const { started, ended, wall_seconds: seconds } = provenance.facts();
      expect(started).toBe('2026-03-01T12:00:00.000Z');
      expect(Date.parse(ended as string) - Date.parse(started as string)).toBeCloseTo(1e3 * (seconds as number), -1);
      expect(Date.parse(ended as string)).toBeGreaterThanOrEqual(Date.parse(started as string));
    } finally {
      vi.useRealTimers();
    }
  });

  it('names the GPUs as their driver does', () => {
    const root = temporaryFolder('gpus');
    for (const [bus, model] of [
      ['0000:02:00.0', 'NVIDIA B'],
      ['0000:01:00.0', 'NVIDIA A'],
    ] as const) {
      mkdirSync(join(root, bus));
      writeFileSync(join(root, bus, 'information'), `Model: \t\t ${model}\nIRQ:   \t\t 1\n`);
    }
    expect(gpuModels(root)).toEqual(['NVIDIA A', 'NVIDIA B']);
    expect(gpuModels('/nowhere')).toEqual([]);
  });

  it('of a dirty tree has the diff beside it; of a clean one it has not', async () => {
    const { store } = storeWithStage();
    const attempt = await begin(store);
    attempt.provenance({ dirty: false });
    expect(() => readFileSync(join(attempt.dir, 'diff.patch'))).toThrow('ENOENT');
    attempt.provenance({ dirty: true }, { program: 'the diff' });
    attempt.provenance({ dirty: true }, { program: 'the diff' });
    expect(readFileSync(join(attempt.dir, 'diff.patch'), 'utf8')).toBe('the diff');
    expect(() => readFileSync(join(attempt.dir, 'study.patch'))).toThrow('ENOENT');
    attempt.provenance({ dirty: true }, { study: 'that of the study' });
    expect(readFileSync(join(attempt.dir, 'study.patch'), 'utf8')).toBe('that of the study');
  });
});
