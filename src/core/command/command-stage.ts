/** A kind of stage that a program of any language runs: what a study declares. The code that runs it is loaded in workers only. */
import { dirname } from 'node:path';
import { z } from 'zod';
import { declaredByCaller } from '../ablation/declared-in.ts';
import { UsageError } from '../ablation/errors.ts';
import type { JsonObject, StageCost, StageKind } from '../ablation/kind.ts';
import { schemaPaths } from '../ablation/fields.ts';
import { problems, problemText } from '../ablation/problems.ts';
import { suggest } from '../ablation/suggest.ts';
import { ALWAYS_TOLD, placeholdersIn } from './told.ts';

type FromKind<R extends object> = Pick<StageKind<R>, 'name' | 'revision' | 'metrics'> &
  Partial<Pick<StageKind<R>, 'upstream' | 'changedIn' | 'check' | 'disk' | 'shape' | 'memory' | 'canSplit' | 'anyThreads'>>;

/** What a kind is beside its program (name, revision, metrics, upstream, check, memory, ...) means what it does in `StageKind`. */
export interface CommandStageOptions<S extends z.ZodObject = z.ZodObject> extends FromKind<z.output<S>> {
  /** Fields of the recipe; a field that it does not name is an error. */
  readonly recipe: S;
  /**
   * The program and its arguments: words, which no shell reads. In words after the first `{recipe.<field>}`, `{seed}` and the other names of what a
   * program is told (`{output}`, `{upstream.<slot>}`, ...) stand for their values. The first word, the interpreter, is not part of the key, as machines have it in
   * different places; the others are. It runs in the folder of the file that declares the stage.
   */
  readonly command: readonly string[];
  /** Files whose content is part of the key, and folders with all files below them, relative to the file that declares the stage: edited, they are another stage. */
  readonly sources: readonly string[];
  /** Variables of the program, beside those that it inherits; part of the key. In their values the same names stand for values as in `command`. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Commands whose output says what ran the program (`['python3', '--version']`, `['python3', '-m', 'pip', 'freeze']`): recorded with each attempt, never part of the key. */
  readonly versions?: readonly (readonly string[])[];
  /** What a stage spends; default: unknown, 0. */
  cost?(recipe: z.output<S>, upstream: Readonly<Record<string, JsonObject>>): Partial<StageCost>;
  /** Seconds from SIGTERM, upon which the program writes a checkpoint and leaves, to SIGKILL (default 20, at most 50). */
  readonly grace?: number;
}

const named = (pattern: RegExp, expected: string) => z.record(z.string(), z.unknown()).refine(record => Object.keys(record).every(name => pattern.test(name)), expected);
const callable = z.custom<unknown>(value => typeof value === 'function', 'expected a function').optional();
const words = z.array(z.string()).min(1, 'expected the words of a command');
const isNoLine = ([program = '', ...more]: readonly string[]): boolean => program !== '' && (more.length > 0 || !/\s/.test(program));
const options = z.strictObject({
  name: z.string(),
  revision: z.int().min(1),
  recipe: z.custom<unknown>(value => value instanceof z.ZodObject, 'expected z.object({ ... })'),
  metrics: z.record(z.string(), z.unknown()).refine(metrics => Object.keys(metrics).length > 0, 'expected at least one number of the result'),
  upstream: named(/^[a-z][a-z0-9_]*$/, 'expected slots with names in lower case, which become parts of variables').optional(),
  command: words.refine(isNoLine, 'expected a program and its arguments word by word, not the line of a shell'),
  sources: z.array(z.string().min(1)).min(1, 'expected the files that make the numbers, an edit of which would go unseen'),
  environment: named(/^[A-Za-z_]\w*$/, 'expected names of variables')
    .refine(record => Object.values(record).every(value => typeof value === 'string'), 'expected texts')
    .optional(),
  versions: z.array(words).optional(),
  grace: z.number().min(0).max(50).optional(),
  cost: callable,
  changedIn: callable,
  check: callable,
  disk: callable,
  shape: callable,
  memory: callable,
  canSplit: callable,
  anyThreads: callable,
});

const UNKNOWN_COST: StageCost = { labelledImages: 0, unlabelledImages: 0, flops: 0 };

/**
 * Declares a kind of stage that a program runs, in any language. It gets all that other stages get: a key, of which the content of `sources` is part,
 * sharing, a device of its own, retries from its checkpoints, logs, provenance. What the program is told and how it answers stands in
 * [experiments/README.md](../../../experiments/README.md#training-code-in-any-language).
 *
 * @throws UsageError for options that cannot be
 *
 * @example A stage that Node runs; Python, or any other program, is told the same.
 * ```ts
 * // kinds/toss.ts
 * import { commandStage, z } from 'tinymim-ablations';
 *
 * export const toss = commandStage({
 *   name: 'toss',
 *   revision: 1,
 *   recipe: z.object({ tosses: z.int().min(1) }),
 *   upstream: { coin: { kinds: ['mint'] } },
 *   metrics: {
 *     heads: { label: 'heads', unit: 'fraction', better: 'higher', help: 'Share of heads' },
 *     heads_se: { label: 'standard error', unit: 'fraction', better: 'none', help: 'Binomial' },
 *   },
 *   command: ['node', 'toss.mjs'],
 *   sources: ['toss.mjs'],
 * });
 * ```
 * ```js
 * // kinds/toss.mjs
 * import { createHash } from 'node:crypto';
 * import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
 *
 * const env = process.env;
 * const { tosses } = JSON.parse(readFileSync(env.ABLATE_RECIPE, 'utf8'));
 * const { bias } = JSON.parse(readFileSync(`${env.ABLATE_UPSTREAM_COIN}/coin.json`, 'utf8'));
 * let heads = 0;
 * for (let step = 1; step <= tosses; step++) {
 *   const drawn = createHash('sha256').update(`${env.ABLATE_SEED} ${step}`).digest().readUInt32BE() / 2 ** 32;
 *   if (drawn < bias) heads++;
 *   appendFileSync(env.ABLATE_METRICS, `${JSON.stringify({ step, steps: tosses, epoch: step / tosses, heads: heads / step })}\n`);
 * }
 * const share = heads / tosses;
 * writeFileSync(env.ABLATE_RESULT, JSON.stringify({ heads: share, heads_se: Math.sqrt((share * (1 - share)) / tosses) }));
 * ```
 */
export function commandStage<S extends z.ZodObject>(given: CommandStageOptions<S>): StageKind {
  refuseWrong(given);
  const { recipe, command, sources, environment = {}, versions = [], grace = 20, upstream = {}, ...rest } = given;
  const kind: StageKind<z.output<S>> = {
    ...rest,
    upstream,
    recipe: recipe.strict() as unknown as z.ZodType<z.output<S>>,
    codeInKey: true,
    program: { sources, told: { arguments: command.slice(1), environment } },
    cost: (one, inputs) => ({ ...UNKNOWN_COST, ...given.cost?.(one, inputs) }),
    load: async () => (await import('./run-command.ts')).commandRunner({ folder: dirname(file), command, environment, versions, metrics: given.metrics, graceMs: 1e3 * grace }),
  };
  const [file = ''] = declaredByCaller(kind, commandStage);
  return kind as unknown as StageKind;
}

function refuseWrong(given: CommandStageOptions): void {
  const wrong = problems(options, given).map(problemText);
  const found = wrong.length > 0 ? wrong : wrongNames(given);
  if (found.length > 0) throw new UsageError('BAD_COMMAND_STAGE', `commandStage '${given.name}': ${found.join('\n  ')}`);
}

/** Names in braces that stand for nothing. */
function wrongNames({ command, environment = {}, recipe, upstream = {} }: CommandStageOptions): string[] {
  const slots = Object.entries(upstream).flatMap(([slot, { optional }]) => (optional === true ? [] : [`upstream.${slot}`]));
  const known = [...ALWAYS_TOLD, ...schemaPaths(recipe).map(path => `recipe.${path.join('.')}`), ...slots];
  const texts = [
    ...command.slice(1).map((word, i): [string, string] => [`command[${i + 1}]`, word]),
    ...Object.entries(environment).map(([name, value]): [string, string] => [`environment.${name}`, value]),
  ];
  return texts.flatMap(([at, text]) =>
    placeholdersIn(text)
      .filter(name => !known.includes(name))
      .map(name => `${at}: expected the name of something that a program is told, got {${name}}${suggest(name, known)}`),
  );
}
