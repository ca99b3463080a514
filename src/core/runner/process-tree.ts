/** Ends a process with all that it has started. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { procStat } from '../store/owner.ts';

/** Sends SIGKILL to a process and its descendants. */
export function killTree(root: number): void {
  send(root, 'SIGSTOP'); // lest it starts another meanwhile
  killDescendants(root);
  send(root, 'SIGKILL');
}

/** They are frozen first, from the top down, so that none starts another meanwhile. */
export function killDescendants(root: number): void {
  const frozen: number[] = [];
  for (let level = childrenOf([root]); level.length > 0; level = childrenOf(level).filter(pid => !frozen.includes(pid))) {
    for (const pid of level) send(pid, 'SIGSTOP');
    frozen.push(...level);
  }
  for (const pid of frozen.reverse()) send(pid, 'SIGKILL');
}

function childrenOf(pids: readonly number[]): number[] {
  return [...parentsOfAll()].flatMap(([pid, parent]) => (pids.includes(parent) ? [pid] : []));
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

/** Of every process its parent's id. */
function parentsOfAll(): Map<number, number> {
  try {
    return new Map(
      readdirSync('/proc')
        .filter(name => /^\d+$/.test(name))
        .flatMap(name => {
          const stat = procStat(Number(name));
          return stat === undefined ? [] : [[Number(name), stat.parent]];
        }),
    );
  } catch {
    return listed(); // no /proc, as on macOS
  }
}

function listed(): Map<number, number> {
  const rows = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
  return new Map(rows.map(row => row.trim().split(/\s+/).map(Number) as [number, number]));
}
