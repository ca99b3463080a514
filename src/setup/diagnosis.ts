/**
 * What `ablate doctor --json` prints. Fields stay as they are while `schema` does: new ones may be added, with texts free to change.
 * Exit code 0 goes with `ok`, 1 without it, 2 says that the command line was wrong.
 */
import { z } from 'zod';

const CHECKS = ['packages', 'engine', 'native', 'wasm', 'pip', 'compiler', 'device', 'memory', 'data', 'disk, cache', 'disk, store', 'chromium', 'slurm'] as const;

const checkSchema = z.strictObject({
  /**
   * `engine` is the one that a sweep would run on, `native` and `wasm` are both there is. `native`, `wasm`, `pip`, `compiler` and `device`
   * are left out where not even the engine could be chosen.
   */
  name: z.enum(CHECKS),
  /** `missing`: a sweep cannot run without it. `optional`: it can, something else cannot. */
  state: z.enum(['ok', 'missing', 'optional']),
  /** What was found, for people. */
  text: z.string(),
  /** The command that mends it; always there unless all is well. */
  mend: z.string().optional(),
  /** What was found, for programs. Sizes in bytes, times in milliseconds. */
  details: z.record(z.string(), z.unknown()).optional(),
});

/** @internal */
export const diagnosisSchema = z.strictObject({
  schema: z.literal(1),
  /** Everything that a sweep needs works. */
  ok: z.boolean(),
  /** Of this program, and of Node. */
  version: z.string(),
  node: z.string(),
  /** `linux-x64`, `linux-arm64`, `darwin-arm64`, ... */
  platform: z.string(),
  /** The engine that a sweep would run on; null where none can be chosen. */
  engine: z
    .strictObject({
      name: z.enum(['tensorflow', 'wasm']),
      /** Named by the environment variable ENGINE. */
      asked: z.boolean(),
      why: z.string(),
      /** Cost against native TensorFlow, where it was chosen for want of that; else null. */
      slower: z.string().nullable(),
      /** It loads and trains. */
      ok: z.boolean(),
      /** False where nobody has run it on this platform and device yet. */
      tested: z.boolean(),
    })
    .nullable(),
  /** In the order of `CHECKS`. */
  checks: z.array(checkSchema),
});

export type Check = z.infer<typeof checkSchema>;
export type State = Check['state'];
export type Diagnosis = z.infer<typeof diagnosisSchema>;
