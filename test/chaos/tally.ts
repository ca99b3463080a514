/** What a run of chaos counts. */

export interface Tally {
  stores: number;
  disturbances: number;
  /** Processes ended by SIGKILL. */
  kills: number;
  /** Attempts that went on from a checkpoint. */
  resumes: number;
  /** Attempts begun at a stage that was done. */
  needless: number;
  /** Files of results and outputs that are not those of an undisturbed run. */
  differing: number;
  /** Points of curves that appear twice, are missing or differ from those of an undisturbed run. */
  points: number;
  /** Temporaries, outputs of dead workers, checkpoints of stages that are done. */
  leftovers: number;
  /** Stages shown as running when no process was. */
  stuck: number;
  /** Stages not done although a sweep had all the time it wanted. */
  undone: number;
  /** Times that nothing told of a full disk, a read-only store or damage. */
  silent: number;
  /** Sweeps that had to be ended by force. */
  hangs: number;
}

export const newTally = (): Tally => ({ stores: 0, disturbances: 0, kills: 0, resumes: 0, needless: 0, differing: 0, points: 0, leftovers: 0, stuck: 0, undone: 0, silent: 0, hangs: 0 });

const FAULTS = {
  needless: 'stages re-run needlessly',
  differing: 'bytes that differ',
  points: 'points twice or wrong',
  leftovers: 'files left over',
  stuck: 'leases stuck',
  undone: 'stages not done',
  silent: 'faults not told',
  hangs: 'sweeps that hang',
} as const satisfies Partial<Record<keyof Tally, string>>;

export type Fault = keyof typeof FAULTS;

export const faultsOf = (tally: Tally): number => (Object.keys(FAULTS) as Fault[]).reduce((sum, fault) => sum + tally[fault], 0);

export function tallyText(tally: Tally): string {
  const rows: [string, number][] = [
    ['stores', tally.stores],
    ['disturbances', tally.disturbances],
    ['kills', tally.kills],
    ['resumes', tally.resumes],
    ...(Object.entries(FAULTS) as [Fault, string][]).map(([fault, name]): [string, number] => [name, tally[fault]]),
  ];
  return rows.map(([name, value]) => `  ${name.padEnd(26)}${String(value).padStart(5)}`).join('\n');
}
