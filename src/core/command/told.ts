/** What a program is told at its start: as variables `ABLATE_<NAME>`, and where its command or its own variables ask for it by `{name}`. */
import type { JsonValue, StageContext } from '../ablation/kind.ts';

/** Names of what every program is told. `recipe` is a JSON file. */
export const ALWAYS_TOLD = ['recipe', 'seed', 'metrics', 'result', 'output', 'checkpoints', 'data', 'device', 'threads', 'micro_batches'] as const;

/** Paths of what a program reads and writes; the result of a stage is at none of them until the program has ended well. */
export interface ProgramPaths {
  readonly recipe: string;
  readonly metrics: string;
  readonly result: string;
  readonly checkpoints: string;
  /** What the program wrote as its last whole checkpoint, where there is one. */
  readonly resume?: string;
}

const NAME = /\{((?:recipe|upstream)(?:\.\w+)+|[a-z_]+)\}/g;

/** Names in braces, each once. */
export const placeholdersIn = (text: string): string[] => [...new Set([...text.matchAll(NAME)].map(([, name]) => name!))];

export interface Told {
  readonly words: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** Command and variables of the program for one attempt, nothing of which a shell reads. */
export function toldTo(command: readonly string[], environment: Readonly<Record<string, string>>, context: StageContext, paths: ProgramPaths): Told {
  const values = valuesFor(context, paths);
  const filled = (text: string): string => text.replaceAll(NAME, (all, name: string) => values[name] ?? recipeField(context, name) ?? all);
  const [program, ...rest] = command;
  return {
    words: [program!, ...rest.map(filled)],
    environment: {
      ...Object.fromEntries(Object.entries(values).map(([name, value]) => [`ABLATE_${name.toUpperCase().replaceAll('.', '_')}`, value])),
      ...Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, filled(value)])),
    },
  };
}

function valuesFor({ seed, output, execution, upstream }: StageContext, { resume, ...paths }: ProgramPaths): Record<string, string> {
  return {
    ...paths,
    seed: String(seed),
    output,
    data: execution.dataDir,
    device: execution.device,
    threads: String(execution.threads),
    micro_batches: String(execution.microBatches ?? 1),
    ...(resume !== undefined && { resume }),
    ...Object.fromEntries(Object.entries(upstream).map(([slot, { output: folder }]) => [`upstream.${slot}`, folder])),
  };
}

/** Texts as they are, all else as JSON. Undefined for what is no field of the recipe. */
function recipeField({ recipe }: StageContext, name: string): string | undefined {
  const [first, ...path] = name.split('.');
  if (first !== 'recipe') return undefined;
  const value = path.reduce<JsonValue | undefined>((inner, part) => (typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? inner[part] : undefined), recipe);
  return value === undefined || typeof value === 'string' ? value : JSON.stringify(value);
}
