/** Which interpreter and packages ran a program, as commands of the stage say. */
import { execa } from 'execa';
import type { JsonObject, StageContext } from '../ablation/kind.ts';
import type { Command } from './command.ts';
import { publicCommand, withoutSecrets } from '../runner/secrets.ts';
import { oneLine, shorten } from '../text/clean.ts';

const MOST_LINES = 500;
const LONGEST = 200;
const MOST_MS = 60_000;

/** Those that fail are told in the log; a stage does not fail of them. @param signal aborted: nobody waits for them any more */
export async function recordVersions({ versions, folder }: Pick<Command, 'versions' | 'folder'>, context: Pick<StageContext, 'log' | 'provenance'>, signal: AbortSignal): Promise<void> {
  if (versions.length === 0) return;
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
  if (!signal.aborted) context.provenance({ versions: found });
}
