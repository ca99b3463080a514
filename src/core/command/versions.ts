/** Which interpreter and packages ran a program, as commands of the stage say. */
import { execa } from 'execa';
import type { JsonObject, StageContext } from '../ablation/kind.ts';
import { publicCommand, withoutSecrets } from '../runner/secrets.ts';
import { oneLine, shorten } from '../text/clean.ts';

const MOST_LINES = 500;
const LONGEST = 200;
const MOST_MS = 60_000;

/** Those that fail are told in the log; a stage does not fail of them. */
export async function recordVersions(
  { versions, folder }: { readonly versions: readonly (readonly string[])[]; readonly folder: string },
  context: Pick<StageContext, 'log' | 'provenance' | 'signal'>,
): Promise<void> {
  const { signal } = context;
  if (versions.length === 0 || signal.aborted) return;
  const found = await Promise.all(
    versions.map(async (words): Promise<JsonObject> => {
      const [program = '', ...args] = words;
      const { failed, all, shortMessage } = await execa(program, args, {
        cwd: folder,
        reject: false,
        all: true,
        stdin: 'ignore',
        timeout: MOST_MS,
        cancelSignal: signal,
        maxBuffer: MOST_LINES * LONGEST,
      });
      if (failed && !signal.aborted) context.log(`Warning: its versions are not recorded: ${shortMessage ?? 'the command failed'}`);
      const lines = (all ?? '').split('\n').slice(0, MOST_LINES);
      return { command: publicCommand(words), ...(failed ? { failed: true } : { lines: lines.map(line => shorten(withoutSecrets(oneLine(line)), LONGEST)).filter(line => line !== '') }) };
    }),
  );
  context.provenance({ versions: found });
}
