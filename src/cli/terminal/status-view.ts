/** A look at a plan's stages as text of at most 100 columns, and as JSON. */
import { relative } from 'node:path';
import { packLabel, stageLabel, type Plan, type PlannedStage } from '../../core/plan/plan.ts';
import { shortNumber } from '../../core/ablation/doubtful.ts';
import type { Doubts } from '../../core/inspect/doubts.ts';
import type { Snapshot, StageSnapshot, WorkingStage } from '../../core/inspect/snapshot.ts';
import { ownerText, workersOf } from '../../core/inspect/snapshot.ts';
import type { JobsNow } from '../../core/slurm/jobs-now.ts';
import { outstanding, type TimeLeft } from '../../core/inspect/time-left.ts';
import { harmlessJson, shorten } from '../../core/text/clean.ts';
import { formatCount, plural } from '../../core/text/format.ts';
import { columns, duration, heading, textTable, wrap } from './text.ts';
import { furthestBehind, leftText, paceText, phaseText, placeText, waitingText } from './worker-row.ts';
import { pc } from './colours.ts';

export interface StatusView {
  readonly plan: Plan;
  /** E.g. `mini, distill.epochs=5`. */
  readonly scale: string;
  readonly snapshot: Snapshot;
  readonly left: TimeLeft;
  readonly doubts: Doubts;
  /** As `--devices` would name them. */
  readonly devices: string;
  /** Of a cluster, that work on the store. */
  readonly jobs?: JobsNow;
}

/** Where no cluster is asked. */
export const NO_JOBS: JobsNow = { jobs: [], lines: [] };

/** What a stage is to a person: `running` only while a process works on it, `left` if none has begun it. */
export type DisplayState = 'done' | 'running' | 'stalled' | 'failed' | 'interrupted' | 'left';

export const displayStateOf = ({ state }: StageSnapshot): DisplayState => {
  if (state.state === 'absent') return 'left';
  return state.state === 'running' && state.stalled !== undefined ? 'stalled' : state.state;
};

export const COLOUR: Readonly<Record<DisplayState, (text: string) => string>> = {
  done: pc.green,
  running: pc.cyan,
  stalled: pc.yellow,
  failed: pc.red,
  interrupted: pc.yellow,
  left: text => text,
};
const DISPLAY_STATES = Object.keys(COLOUR) as DisplayState[];

/** @internal */
export type StateCounts = Readonly<Record<DisplayState, number>>;

/** @internal */
export function countsOf(stages: readonly StageSnapshot[]): StateCounts {
  const counts = Object.fromEntries(DISPLAY_STATES.map(s => [s, 0])) as Record<DisplayState, number>;
  for (const stage of stages) counts[displayStateOf(stage)]++;
  return counts;
}

/** All of it, with every stage that runs or needs a look. */
export function statusText(view: StatusView): string {
  const { stages } = view.snapshot;
  return [headline(view), '', ablationTable(view), ...workerLines(view, true), ...jobLines(view), ...troubleLines(stages), ...doubtLines(view)].join('\n');
}

/** Without the keys and logs of what runs well: for a screen that is drawn again and again. */
export function screenText(view: StatusView): string {
  const workers = workerLines(view, false);
  return ['', headline(view), '', ablationTable(view), ...workers, ...jobLines(view), ...troubleLines(view.snapshot.stages), ...doubtLines(view)].join('\n');
}

export function headline({ plan, scale, snapshot, left, devices, jobs: { jobs } = NO_JOBS }: StatusView): string {
  const { toRun, blocked } = outstanding(plan, snapshot);
  const counts = countsOf(snapshot.stages);
  const running = jobs.filter(({ phase }) => phase === 'running').length;
  const sweeps =
    jobs.length > 0
      ? `${plural(running, 'job')} at work, ${jobs.length - running} queued`
      : snapshot.runners.length > 0
        ? `a sweep runs (${snapshot.runners.map(ownerText).join(', ')})`
        : toRun.length > 0
          ? 'no sweep runs'
          : '';
  const parts = [
    `${formatCount(counts.done)} of ${plural(plan.stages.size, 'stage')} done`,
    ...(counts.failed > 0 ? [pc.red(`${formatCount(counts.failed)} failed`)] : []),
    ...(blocked.size > 0 ? [pc.red(`${formatCount(blocked.size)} blocked by that`)] : []),
    ...(toRun.length > 0 && left.seconds !== undefined && left.stages.size > 0 ? [`about ${duration(left.seconds)} left on ${devices}`] : []),
    ...(sweeps === '' ? [] : [sweeps]),
  ];
  return wrap(`${heading(`Status of profile ${scale}`)}: ${parts.join(', ')}`, columns(), '  ');
}

/** A stage that several ablations share counts in each of them. */
function ablationTable({ plan, snapshot: { stages }, left }: StatusView): string {
  const ablations = [...new Set(plan.arms.map(a => a.ablation))];
  const shown = DISPLAY_STATES.filter(s => s !== 'stalled' || countsOf(stages).stalled > 0);
  const row = (name: string, of: readonly StageSnapshot[]): string[] => {
    const counts = countsOf(of);
    return [
      shorten(name, 30),
      ...shown.map(s => formatCount(counts[s])),
      secondsText(
        of.map(s => s.stage),
        left,
      ),
    ];
  };
  return textTable([
    [pc.dim('ablation'), ...shown.map(s => COLOUR[s](s)), pc.dim('worker time left')],
    ...ablations.map(name =>
      row(
        name,
        stages.filter(({ stage }) => stage.users.some(u => u.ablation === name)),
      ),
    ),
    ...(ablations.length > 1 ? [row('all, each once', stages)] : []),
  ]);
}

/** Of those that are to run; a dash where nothing is known of any, `>` where of some. */
function secondsText(stages: readonly PlannedStage[], { stages: left, seconds }: TimeLeft): string {
  const known = stages.flatMap(({ key }) => left.get(key) ?? []);
  if (known.length === 0) return '-';
  return `${seconds === undefined ? '> ' : ''}${duration(known.reduce((a, b) => a + b, 0))}`;
}

function workerLines({ snapshot }: StatusView, withMembers: boolean): string[] {
  const workers = workersOf(snapshot);
  if (workers.length === 0) return [];
  const lines = workerTable(workers).split('\n');
  return [
    '',
    ...workers.flatMap((members, i) => [
      lines[i]!,
      ...members.flatMap(({ state }) => (state.state === 'running' && state.stalled !== undefined ? [`    ${pc.yellow(wrap(`stalled: ${state.stalled}`, columns() - 4, '    '))}`] : [])),
      ...(withMembers ? members.map(({ stage, log }) => pc.dim(`    ${stage.key.slice(0, 12)}  ${members.length > 1 ? shorten(stageLabel(stage), columns() - 18) : logText(log)}`)) : []),
    ]),
  ];
}

const LEAST_LABEL = 8;
/** The column that goes first where there is no room. */
const WAITING = 3;

/** What a worker does, how far it is, and when it last said so; the label takes the room that is left. */
function workerTable(workers: readonly Worker[]): string {
  const all = workers.map(workerRow);
  const widthOf = (rows: readonly string[][]): number => rows[0]!.map((_, i) => Math.max(...rows.map(row => row[i]!.length))).reduce((sum, w) => sum + w + 2, 2);
  const fits = widthOf(all) <= columns() - LEAST_LABEL;
  const rows = fits ? all : all.map(row => row.filter((_, i) => i !== WAITING)),
    room = Math.max(LEAST_LABEL, columns() - widthOf(rows));
  return textTable(
    rows.map(([place = '', ...rest], i) => {
      const stalled = workers[i]!.some(m => displayStateOf(m) === 'stalled');
      return [COLOUR[stalled ? 'stalled' : 'running'](place), shorten(packLabel(workers[i]!.map(m => m.stage)), room), ...rest];
    }),
    [0, 1, 2],
  );
}

type Worker = readonly WorkingStage[];

function workerRow(members: Worker): string[] {
  const { progress } = furthestBehind(members, member => member.progress);
  const silent = Math.min(...members.flatMap(m => m.progress.silentSeconds ?? []));
  return [placeText(progress), phaseText(progress), paceText(progress), waitingText(progress), leftText(progress), Number.isFinite(silent) ? `${duration(silent)} ago` : ''];
}

/** What waits in a cluster's queue, and why. */
const jobLines = ({ jobs: { lines } = NO_JOBS }: StatusView): string[] => (lines.length === 0 ? [] : ['', ...lines.map(line => `  ${wrap(line, columns() - 2, '    ')}`)]);

/** What failed or was interrupted, why, and where its log is. */
function troubleLines(stages: readonly StageSnapshot[]): string[] {
  return stages.flatMap(snapshot => {
    const { stage, state, log } = snapshot;
    if (state.state !== 'failed' && state.state !== 'interrupted') return [];
    return [
      '',
      `  ${COLOUR[state.state](state.state)}  ${shorten(stageLabel(stage), 70)}  ${pc.dim(stage.key.slice(0, 12))}`,
      ...(state.state === 'failed' ? [`    ${wrap(`${state.reason} ${pc.dim(`(${state.code})`)}`, columns() - 4, '    ')}`] : []),
      pc.dim(`    ${logText(log)}`),
    ];
  });
}

/** Once for each metric: what is doubtful, and in which stages. */
function doubtLines({ plan, doubts }: StatusView): string[] {
  const found = [...doubts].flatMap(([key, numbers]) => numbers.map(number => ({ ...number, stage: plan.stages.get(key)! })));
  const names = new Set(found.map(({ stage, metric }) => `${stage.kind} ${metric}`));
  return [...names].flatMap(name => {
    const ofMetric = found.filter(({ stage, metric }) => `${stage.kind} ${metric}` === name);
    const { label, below, why } = ofMetric[0]!;
    return [
      '',
      `  ${wrap(`${pc.yellow('doubtful')}  ${label}: expected at least ${below}, got less: ${why}`, columns() - 2, '    ')}`,
      ...ofMetric.map(({ stage, value }) => `    ${shortNumber(value)}  ${shorten(stageLabel(stage), 70)}  ${pc.dim(stage.key.slice(0, 12))}`),
    ];
  });
}

function logText(log: string | undefined): string {
  if (log === undefined) return '';
  const near = relative(process.cwd(), log);
  return `log: ${near.length < log.length ? near : log}`;
}

/** One object; numbers that are not known are absent. */
export function statusJson({ plan, scale, snapshot, left, doubts, devices, jobs: { jobs } = NO_JOBS }: StatusView, indent?: number): string {
  const { toRun, blocked } = outstanding(plan, snapshot);
  const ablations = [...new Set(plan.arms.map(a => a.ablation))];
  const json = JSON.stringify(
    {
      profile: scale,
      devices,
      runners: snapshot.runners.map(({ host, pid }) => ({ host, pid })),
      ...(jobs.length > 0 && { jobs }),
      counts: { stages: plan.stages.size, ...countsOf(snapshot.stages), blocked: blocked.size, toRun: toRun.length },
      secondsLeft: left.seconds,
      ablations: ablations.map(name => {
        const own = snapshot.stages.filter(({ stage }) => stage.users.some(u => u.ablation === name));
        return { name, ...countsOf(own), workerSecondsLeft: own.reduce((sum, { stage }) => sum + (left.stages.get(stage.key) ?? 0), 0) };
      }),
      stages: snapshot.stages.map(s => stageJson(s, blocked, left, doubts)),
    },
    undefined,
    indent,
  );
  return harmlessJson(json);
}

function stageJson(snapshot: StageSnapshot, blocked: ReadonlySet<string>, left: TimeLeft, doubts: Doubts): object {
  const { stage, state, log, progress } = snapshot;
  return {
    key: stage.key,
    kind: stage.kind,
    label: stageLabel(stage),
    state: displayStateOf(snapshot),
    ...(blocked.has(stage.key) && { blocked: true }),
    ...('attempt' in state && { attempt: state.attempt }),
    ...(state.state === 'failed' && { code: state.code, reason: state.reason, permanent: state.permanent }),
    ...(state.state === 'running' && state.stalled !== undefined && { stalled: state.stalled }),
    ...(progress && { ...progress, owner: { host: progress.owner.host, pid: progress.owner.pid } }),
    ...(left.stages.has(stage.key) && { secondsLeft: left.stages.get(stage.key) }),
    ...(doubts.has(stage.key) && { doubtful: doubts.get(stage.key)!.map(({ metric, value, below }) => ({ metric, value, below })) }),
    log,
  };
}
