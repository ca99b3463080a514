/**
 * Imported encoders, beside the data sets of this machine: both are inputs that no stage makes, and every store may need them. `<sha256>.safetensors`
 * is an encoder in canonical form (`import.ts`), `<name>.json` says which of them a name means, and where it came from. Light: planning asks.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { UsageError } from '../../core/ablation/errors.ts';

/** Names stand in profiles, on command lines and in names of files. */
export const checkpointName = z.string().regex(/^[a-z0-9]+(?:[._-][a-z0-9]+)*$/, "expected lower-case words joined by '-', '_' or '.'");
export const checkpointHash = z.string().regex(/^[0-9a-f]{64}$/, 'expected a SHA-256 of 64 hexadecimal digits');

const positive = z.int().positive();

const importedCheckpoint = z.strictObject({
  name: checkpointName,
  /** Of the encoder in canonical form. */
  sha256: checkpointHash,
  /** Name of the file that was read, without its folder. */
  file: z.string(),
  encoder: z.strictObject({ embed_dim: positive, depth: positive, mlp_dim: positive, patch_size: positive, in_chans: positive, patches: positive }),
});
export type ImportedCheckpoint = z.infer<typeof importedCheckpoint>;

/** @param dataDir folder of prepared data sets */
export const checkpointsDir = (dataDir: string): string => join(dataDir, 'checkpoints');

/** The encoder itself; need not exist. */
export const encoderFile = (dataDir: string, sha256: string): string => join(checkpointsDir(dataDir), `${sha256}.safetensors`);

const nameFile = (dataDir: string, name: string): string => join(checkpointsDir(dataDir), `${name}.json`);

/** What a name means here; undefined: nothing, or its encoder is gone. @throws UsageError where its file is damaged */
export function importedAs(dataDir: string, name: string): ImportedCheckpoint | undefined {
  const path = nameFile(dataDir, name);
  if (!existsSync(path)) return undefined;
  const found = parsed(readFileSync(path, 'utf8'));
  if (found?.name !== name) throw new UsageError('DAMAGED_IMPORT', `${path}: Expected what was imported as ${name}, got something else. Remove the file and import the checkpoint again.`);
  return existsSync(encoderFile(dataDir, found.sha256)) ? found : undefined;
}

/** The same by the hash, whatever its name. */
export function importedWith(dataDir: string, sha256: string): ImportedCheckpoint | undefined {
  const dir = checkpointsDir(dataDir);
  if (!existsSync(encoderFile(dataDir, sha256))) return undefined;
  const names = readdirSync(dir)
    .filter(file => file.endsWith('.json'))
    .sort();
  return names.map(file => parsed(readFileSync(join(dir, file), 'utf8'))).find(found => found?.sha256 === sha256);
}

function parsed(text: string): ImportedCheckpoint | undefined {
  try {
    return importedCheckpoint.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Makes the name mean this encoder, which is there already. */
export function keepName(dataDir: string, checkpoint: ImportedCheckpoint): void {
  mkdirSync(checkpointsDir(dataDir), { recursive: true });
  const path = nameFile(dataDir, checkpoint.name),
    temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, `${JSON.stringify(checkpoint, undefined, 2)}\n`);
  renameSync(temporary, path);
}
