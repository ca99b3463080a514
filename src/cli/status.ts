/** `ablate status`: what is done, running, failed, and where to look. */
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import pc from 'picocolors';
import { packLabel, stageLabel, type Plan, type PlannedStage } from '../plan/plan.ts';
import type { StageState, StoreReader } from '../store/reader.ts';
import { openStoreReadOnly } from '../store/store.ts';
import { choose, withSelection, type Selection } from './selection.ts';
import { readStates, type States } from './states.ts';
import { count, heading, plural, table } from './text.ts';

export function registerStatus(program: Command): void {
  withSelection(program.command('status').description('show what is done, running and failed, and where its log is'))
    .action(async (options: Selection) => {
      const { plan, profile } = await choose(options);
      const states = readStates(options.store, plan);
      process.stdout.write(`${statusText(plan, states, profile.name, existsSync(options.store) ? openStoreReadOnly(options.store) : undefined)}\n`);
    });
}

const ORDER = ['done', 'running', 'interrupted', 'failed', 'absent'] as const satisfies readonly StageState['state'][];
const NAME: Readonly<Record<StageState['state'], string>> = {
  done: pc.green('done'), running: pc.cyan('running'), interrupted: pc.yellow('interrupted'), failed: pc.red('failed'), absent: 'to run',
};

function statusText(plan: Plan, states: States, profile: string, store: StoreReader | undefined): string {
  const stateOf = (stage: PlannedStage): StageState => states.get(stage.key) ?? { state: 'absent' };
  const all = [...plan.stages.values()];
  const ablations = [...new Set(plan.arms.map(a => a.ablation))];
  const row = (name: string, stages: readonly PlannedStage[]): string[] =>
    [name, ...ORDER.map(s => count(stages.filter(stage => stateOf(stage).state === s).length))];
  const lines = [
    `${heading(`Status of profile ${profile}`)}: ${plural(all.length, 'stage')}, ${count(all.filter(s => stateOf(s).state === 'done').length)} done`,
    '',
    table([
      [pc.dim('ablation'), ...ORDER.map(s => NAME[s])],
      ...ablations.map(name => row(name, all.filter(s => s.users.some(u => u.ablation === name)))),
      ...(ablations.length > 1 ? [row('all, each once', all)] : []),
    ]),
  ];
  for (const pack of packsAtWork(all, stateOf, store)) {
    lines.push('', `  ${NAME.running}  ${packLabel(pack)}  ${pc.dim('side by side in one process')}`);
  }
  for (const stage of all) {
    const state = stateOf(stage);
    if (state.state === 'done' || state.state === 'absent') continue;
    lines.push('', `  ${NAME[state.state]}  ${stageLabel(stage)}  ${pc.dim(stage.key.slice(0, 12))}`);
    if (state.state === 'failed') lines.push(`    ${state.reason}`);
    lines.push(pc.dim(`    log: ${store?.logFile(stage.key, state.attempt) ?? ''}`));
  }
  return lines.join('\n');
}

/** Stages that one process works on, where there are several. */
function packsAtWork(stages: readonly PlannedStage[], stateOf: (stage: PlannedStage) => StageState, store: StoreReader | undefined): PlannedStage[][] {
  const byProcess = new Map<string, PlannedStage[]>();
  for (const stage of stages) {
    const state = stateOf(stage);
    if (state.state !== 'running') continue;
    // Before its worker has begun, an attempt belongs to the runner, which has several places.
    const name = `${state.owner.host} ${state.owner.pid} ${store?.attempt(stage.key, state.attempt)?.place ?? ''}`;
    byProcess.set(name, [...(byProcess.get(name) ?? []), stage]);
  }
  return [...byProcess.values()].filter(pack => pack.length > 1);
}
