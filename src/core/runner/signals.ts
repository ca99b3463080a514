/** Signals that ask a process to leave: runner and workers write checkpoints first. */
import { constants } from 'node:os';

/** From a service manager, a terminal that hangs up, a scheduler. What Ctrl-C sends is another matter: a terminal sends it to workers as well. */
export const LEAVING = ['SIGTERM', 'SIGHUP', 'SIGUSR2'] as const;

export type LeavingSignal = (typeof LEAVING)[number] | 'SIGINT';

/** As a shell says of a program that a signal ended: 130 after Ctrl-C. */
export const signalExitCode = (signal: LeavingSignal | 'SIGPIPE'): number => 128 + constants.signals[signal];
