/** `ablate explain`: why each stage of an arm is done, reused, running, stale or missing, and what a sweep would do. */
import type { Command } from '@commander-js/extra-typings';
import { openStoreIfThere } from '../../core/store/store.ts';
import { findArm, type ChosenArm } from '../../core/inspect/arm.ts';
import { explainCode, isOfOlderCode, mixesCode, type KindCodes } from '../../core/inspect/explain-code.ts';
import { explainReplicate, type Change, type ReplicateExplanation, type StageExplanation } from '../../core/inspect/explain-arm.ts';
import type { PlannedExperiments } from '../../core/plan/plan.ts';
import { choose, withSelection } from '../options/selection.ts';
import { harmlessJson, shorten } from '../../core/text/clean.ts';
import { formatCode, listed, plural } from '../../core/text/format.ts';
import { columns, duration, firstOf, heading, textTable, warn, when, wrap } from '../terminal/text.ts';
import { pc } from '../terminal/colours.ts';
import { print } from '../terminal/output.ts';

const defineExplain = (program: Command) =>
  withSelection(program.command('explain').description('say stage by stage why an arm is done, reused, stale or missing, and what a sweep would do').argument('<ablation/arm>')).option(
    '--json',
    'as JSON',
  );

export function registerExplain(program: Command): void {
  defineExplain(program).action(async (name, options) => {
    const chosen = await choose(options);
    const arm = findArm(chosen, name);
    const replicates = explain(chosen, arm, options.store);
    const code = explainCode(replicates, chosen.study.kinds);
    const {
      profile: { name: profile },
      overrides,
    } = chosen;
    print(
      `${options.json === true ? harmlessJson(JSON.stringify({ arm: arm.name, profile, overrides, replicates, code }, undefined, 2)) : [explanation(arm, chosen, replicates), ...codeLines(code)].join('\n')}\n`,
    );
  });
}

function explain({ study, plan, profile, overrides }: PlannedExperiments, arm: ChosenArm, dir: string): ReplicateExplanation[] {
  const store = openStoreIfThere(dir, { warn });
  const sweeps = store?.sweeps() ?? [];
  return arm.replicates.map(replicate => explainReplicate(replicate, { study: study.name, plan, profile: profile.name, overrides, store, sweeps }));
}

function explanation(arm: ChosenArm, { profile, overrides }: PlannedExperiments, replicates: readonly ReplicateExplanation[]): string {
  const scale = [`profile ${profile.name}`, ...overrides].join(', ');
  const lines = [`${heading(arm.name)}  ${arm.label}  ${pc.dim(`(${scale})`)}`];
  for (const replicate of replicates) lines.push('', `seed ${replicate.seed}`, stageLines(replicate.stages), ...goneLine(replicate), `  ${pc.bold('A sweep')} ${nextText(replicate.stages)}`);
  return lines.join('\n');
}

const STATE: Readonly<Record<StageExplanation['state'], (text: string) => string>> = {
  done: pc.green,
  reused: pc.green,
  running: pc.cyan,
  interrupted: pc.yellow,
  failed: pc.red,
  stale: pc.yellow,
  missing: text => text,
};

/** Nothing where all is of one code, which is that of today, or of unknown code. */
function codeLines(all: readonly KindCodes[]): string[] {
  const told = all.flatMap(kind => {
    if (mixesCode(kind)) return [`${pc.yellow('mixed code')} ${madeText(kind)}`];
    if (isOfOlderCode(kind)) return [pc.dim(olderText(kind))];
    return kind.made.length > 1 ? [pc.dim(`code ${madeText(kind)}`)] : [];
  });
  return told.length === 0 ? [] : ['', ...told.map(line => wrap(line, columns(), '  ')), ...(all.some(mixesCode) ? [pc.dim(wrap(MENDING, columns(), '  '))] : [])];
}

const MENDING = 'If the edit changes numbers, raise the revision of the kind and run again.';

function madeText({ kind, made, now }: KindCodes): string {
  const parts = made.map(({ code, seeds }) => {
    const today = code !== undefined && code === now ? ' (that of today)' : '';
    return `${formatCode(code)}${today} for seed${seeds.length === 1 ? '' : 's'} ${listed(seeds.map(String))}`;
  });
  return `${kind}: ${parts.join('; ')}`;
}

const olderText = ({ kind, made, now }: KindCodes): string => `${kind} was edited since: done with code ${listed(made.map(({ code }) => formatCode(code)))}, now ${formatCode(now)}`;

/** A row a stage, and below it its reasons. */
function stageLines(stages: readonly StageExplanation[]): string {
  const rows = textTable(
    stages.map(s => [s.role, s.kind, s.key.slice(0, 12), STATE[s.state](s.state), summary(s)]),
    [0, 1, 2, 3, 4],
  ).split('\n');
  return rows.flatMap((row, i) => [row, ...reasons(stages[i]!).map(reason => `      ${wrap(reason, columns() - 6, '        ')}`)]).join('\n');
}

function summary(s: StageExplanation): string {
  switch (s.state) {
    case 'done':
    case 'reused':
      return [
        ...(s.ended === undefined ? [] : [when(s.ended)]),
        ...(s.seconds === undefined ? [] : [duration(s.seconds)]),
        `attempt ${s.attempt}${s.place === undefined ? '' : ` on ${s.place}`}`,
        ...(s.items === undefined ? [] : [`${plural(s.items, 'test item')} one by one`]),
      ].join(', ');
    case 'running':
      return `attempt ${s.attempt}${s.since === undefined ? '' : ` since ${when(s.since)}`}, process ${s.process}`;
    case 'interrupted':
      return `attempt ${s.attempt}`;
    case 'failed':
      return `attempt ${s.attempt} (${s.code})`;
    case 'stale':
      return `another one at the sweep of ${when(s.sweep)}`;
    case 'missing':
      return s.planned === undefined ? 'never run' : `planned by the sweep of ${when(s.planned)}, not run yet`;
  }
}

function reasons(s: StageExplanation): string[] {
  switch (s.state) {
    case 'reused':
      return [`shared with ${firstOf(s.sharedWith, 6)}`];
    case 'failed':
      return [s.reason, ...recovery(s)];
    case 'interrupted':
      return recovery(s);
    case 'stale':
      return s.was.changes === undefined
        ? [`${s.was.key.slice(0, 12)} then, which the store no longer knows`]
        : [...s.was.changes.map(changeText), pc.dim(`${s.was.key.slice(0, 12)} then: ${s.was.state === 'absent' ? 'not run' : s.was.state}`)];
    case 'missing':
      return s.nearest === undefined
        ? []
        : [`nearest done ${s.kind}: ${s.nearest.label} ${pc.dim(s.nearest.key.slice(0, 12))}; it differs in`, ...s.nearest.changes.map(c => `- ${differenceText(c)}`)];
    default:
      return [];
  }
}

const recovery = ({ checkpoint, log }: { checkpoint?: number; log: string }): string[] => [
  checkpoint === undefined ? 'no checkpoint yet' : `checkpoint after step ${checkpoint}`,
  pc.dim(`log: ${log}`),
];

/** Longest value of a field that is printed whole. */
const VALUE = 60;

function changeText({ field, from, to, role }: Change): string {
  if (role !== undefined) return `because its ${role} changed`;
  if (field === 'revision') return `the stage's code changed its semantics: revision ${from ?? 'none'} -> ${to ?? 'none'}`;
  return `${fieldName(field)}: ${shorten(from ?? 'none', VALUE)} -> ${shorten(to ?? 'none', VALUE)}`;
}

const differenceText = ({ field, from, to, role }: Change): string =>
  role === undefined ? `${fieldName(field)}: ${shorten(from ?? 'none', VALUE)}, here ${shorten(to ?? 'none', VALUE)}` : `its ${role}, which is another`;

/** Most fields are the recipe's. */
const fieldName = (field: string): string => field.replace(/^recipe\./, '');

function goneLine({ gone }: ReplicateExplanation): string[] {
  return gone.length === 0 ? [] : [pc.dim(`  no longer part of this arm: ${listed(gone)}`)];
}

function nextText(stages: readonly StageExplanation[]): string {
  const roles = (next: StageExplanation['next']): string[] => stages.filter(s => s.next === next).map(s => s.role);
  const [wait, resume, run] = [roles('wait'), roles('continue'), roles('run')];
  if (wait.length + resume.length + run.length === 0) return 'would run nothing for this replicate: it is done.';
  const steps = [
    ...(wait.length > 0 ? [`wait for ${listed(wait)}, which another process runs`] : []),
    ...(resume.length > 0 ? [`continue ${listed(resume)} from ${resume.length === 1 ? 'its checkpoint' : 'their checkpoints'}`] : []),
    ...(run.length > 0 ? [`run ${listed(run)} (${plural(run.length, 'stage')})`] : []),
  ];
  return `would ${steps.join(', then ')}.`;
}
