/** Who works on an attempt, and whether that process still lives. */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

export interface Owner {
  readonly host: string;
  /** Differs after every boot of the host; empty where the system does not tell. */
  readonly boot: string;
  /** Which table of processes `pid` is of, as containers on one host have several; empty where the system does not tell, absent in older records. */
  readonly namespace?: string | undefined;
  readonly pid: number;
  /** Start time of the process in clock ticks since boot: a reused pid is told from the old one. Empty where the system does not tell. */
  readonly started: string;
}

export function ownerOf(pid: number): Owner {
  return { host: hostname(), boot: bootId(), namespace: pidNamespace(), pid, started: procStat(pid)?.started ?? '' };
}

/** As part of a file's name, and to tell processes apart. */
export function ownerTag({ host, boot, pid, started, namespace }: Owner): string {
  return [hostTag(host), boot.slice(0, BOOT_TAG), pid, started, ...(namespace === undefined ? [] : [namespace])].join('_');
}
const BOOT_TAG = 8;

/** Whether the process of a tag is there, running or stopped; `undefined` for one that cannot be seen from here, and for what is no tag. */
export function isTagAlive(tag: string): boolean | undefined {
  const [, host, boot, pid, started, namespace] = /^([A-Za-z0-9.-]*)_([0-9a-f]*)_(\d+)_(\d*)(?:_(\d*))?$/.exec(tag) ?? [];
  if (host !== hostTag(hostname()) || boot !== bootId().slice(0, BOOT_TAG) || pid === undefined || started === undefined) return undefined;
  const owner = { host: hostname(), boot: bootId(), namespace, pid: Number(pid), started };
  return isOwnerAlive(owner) ?? (namespace !== undefined && isVisible(owner) ? true : undefined);
}

const hostTag = (host: string): string => host.replaceAll(/[^A-Za-z0-9.-]/g, '-').slice(0, 64);

/** Whether the process, if it lives, stands in the table of processes here. Of one of another host, container or boot that table says nothing. */
export const isVisible = ({ host, boot, namespace = pidNamespace() }: Owner): boolean => host === hostname() && boot === bootId() && namespace === pidNamespace();

/** `undefined` when only its heartbeat can tell: it cannot be seen from here, or is stopped (SIGSTOP) and may never go on. */
export function isOwnerAlive(owner: Owner): boolean | undefined {
  if (!isVisible(owner)) return undefined;
  const alive = isListed(owner);
  // An older record does not say which table of processes it is of: not to be in ours tells nothing where there are several.
  return alive === false && owner.namespace === undefined && pidNamespace() !== '' ? undefined : alive;
}

function isListed({ pid, started }: Owner): boolean | undefined {
  const stat = started === '' ? undefined : procStat(pid);
  if (stat === undefined) {
    if (!respondsToSignals(pid)) return false;
    return started === '' ? true : undefined; // hidden (`hidepid`): perhaps another with its number
  }
  // A zombie has ended; only its parent has not asked for the exit code yet.
  if (stat.started !== started || stat.state === 'Z') return false;
  return stat.state === 'T' ? undefined : true;
}

/** What Linux tells of a process; undefined where there is none, or no /proc, or one of another table of processes than ours. */
export function procStat(pid: number): { readonly state: string; readonly parent: number; readonly started: string } | undefined {
  const text = isProcOurs() ? readIfThere(`/proc/${pid}/stat`) : undefined;
  if (text === undefined) return undefined;
  // The command name, in parentheses, may itself hold spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', parent: Number(fields[1]), started: fields[19] ?? '' };
}

function bootId(): string {
  return readIfThere('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
}

/** Its number is unique on a host until the next boot. */
let ourNamespace: string | undefined;
const pidNamespace = (): string => (ourNamespace ??= /^pid:\[(\d+)\]$/.exec(linkIfThere('/proc/self/ns/pid') ?? '')?.[1] ?? '');

/** False in a namespace whose /proc is still that of the one around it: there our numbers are those of other processes. */
let procIsOurs: boolean | undefined;
const isProcOurs = (): boolean => (procIsOurs ??= linkIfThere('/proc/self') === String(process.pid));

function linkIfThere(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
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
