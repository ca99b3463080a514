/** The lock file of one purpose, for one folder and user of this machine, where no other user can write. */
export function lockFile(purpose: string, folder: string): string;

/**
 * Runs `work` while no other process of this machine holds the lock `file`; waits for one that does, saying so once.
 * A lock whose holder is dead is taken over.
 */
export function withLock<T>(file: string, say: (line: string) => void, work: () => Promise<T>): Promise<T>;

/** Whether a process with this id exists on this machine. */
export function isAlive(pid: number): boolean;
