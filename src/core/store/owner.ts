/** Who works on an attempt, and whether that process still lives. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

export interface Owner {
  readonly host: string;
  /** Differs after every boot of the host; empty where the system does not tell. */
  readonly boot: string;
  readonly pid: number;
  /** Start time of the process in clock ticks since boot: a reused pid is told from the old one. Empty where the system does not tell. */
  readonly started: string;
}

export function ownerOf(pid: number): Owner {
  return { host: hostname(), boot: bootId(), pid, started: procStat(pid)?.started ?? '' };
}

/** As part of a file's name. */
export function ownerTag({ host, boot, pid, started }: Owner): string {
  return [hostTag(host), boot.slice(0, 8), pid, started].join('_');
}

/** Whether the process of a tag is there, running or stopped; `undefined` for one of another host, and for what is no tag. */
export function isTagAlive(tag: string): boolean | undefined {
  const [, host, boot, pid, started] = /^([A-Za-z0-9.-]*)_([0-9a-f]*)_(\d+)_(\d*)$/.exec(tag) ?? [];
  if (host !== hostTag(hostname()) || boot === undefined || pid === undefined || started === undefined) return undefined;
  if (boot !== bootId().slice(0, 8)) return false;
  return isOwnerAlive({ host: hostname(), boot: bootId(), pid: Number(pid), started }) !== false;
}

const hostTag = (host: string): string => host.replaceAll(/[^A-Za-z0-9.-]/g, '-').slice(0, 64);

/** `undefined` when only its heartbeat can tell: it runs on another host, or is stopped (SIGSTOP) and may never go on. */
export function isOwnerAlive(owner: Owner): boolean | undefined {
  if (owner.host !== hostname()) return undefined;
  if (owner.boot !== bootId()) return false;
  if (owner.started === '') return respondsToSignals(owner.pid);
  const stat = procStat(owner.pid);
  // A zombie has ended; only its parent has not asked for the exit code yet.
  if (stat === undefined || stat.started !== owner.started || stat.state === 'Z') return false;
  return stat.state === 'T' ? undefined : true;
}

/** What Linux tells of a process; undefined where there is none, or no /proc. */
export function procStat(pid: number): { readonly state: string; readonly parent: number; readonly started: string } | undefined {
  const text = readIfThere(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  // The command name, in parentheses, may itself hold spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', parent: Number(fields[1]), started: fields[19] ?? '' };
}

function bootId(): string {
  return readIfThere('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
}

function respondsToSignals(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
