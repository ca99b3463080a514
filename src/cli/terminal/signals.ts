/** How a person, a service manager or a scheduler asks a running sweep to leave. */
import { LEAVING, type LeavingSignal } from '../../core/runner/signals.ts';
import { pc } from './colours.ts';

export interface Stopping {
  readonly stop: AbortSignal;
  readonly kill: AbortSignal;
  /** What runs is to go on, unwatched. */
  readonly leave: AbortSignal;
  /** The signal that ended it, if one did. */
  readonly first: LeavingSignal | undefined;
  release(): void;
}

/**
 * Any of them once: checkpoint and stop. Ctrl-C or TERM again: end the workers at once; a terminal that hangs up may say so twice.
 * @param hangUpLeaves whether what runs goes on when the terminal hangs up, as jobs of a cluster do
 */
export function stopOnSignals(say: (line: string) => void, { hangUpLeaves = false }: { readonly hangUpLeaves?: boolean } = {}): Stopping {
  const [stop, kill, leave] = [new AbortController(), new AbortController(), new AbortController()];
  const signals: readonly LeavingSignal[] = ['SIGINT', ...LEAVING];
  let first: LeavingSignal | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    const again = first !== undefined;
    first ??= signals.find(name => name === signal);
    if (again && (signal === 'SIGINT' || signal === 'SIGTERM')) kill.abort();
    if (again) return;
    if (hangUpLeaves && signal === 'SIGHUP') {
      leave.abort();
      return;
    }
    say(pc.yellow('Stopping: the workers write their checkpoints. Press Ctrl-C again to end them at once.'));
    stop.abort();
  };
  for (const signal of signals) process.on(signal, onSignal);
  return {
    stop: stop.signal,
    kill: kill.signal,
    leave: leave.signal,
    get first() {
      return first;
    },
    release: () => signals.forEach(signal => process.off(signal, onSignal)),
  };
}
