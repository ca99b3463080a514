/** `ablate plan`: what the chosen ablations need, and what of it is there. */
import type { Command } from 'commander';
import pc from 'picocolors';
import { armText, stageLabel, totalCost, type Plan, type PlannedStage } from '../plan/plan.ts';
import { readStates, type States } from './states.ts';
import { choose, withSelection, type Chosen, type Selection } from './selection.ts';
import { count, flops, heading, plural, table } from './text.ts';

export function registerPlan(program: Command): void {
  withSelection(program.command('plan').description('show the stages that the chosen ablations need: shared, done, still to run, and what they cost'))
    .option('--stages', 'list every stage')
    .option('--json', 'print the plan as JSON')
    .action(async (options: Selection & { stages?: boolean; json?: boolean }) => {
      const chosen = await choose(options);
      const states = readStates(options.store, chosen.plan);
      process.stdout.write(`${options.json === true ? planJson(chosen, states) : planText(chosen, states, options.stages === true)}\n`);
    });
}

const isShared = (stage: PlannedStage): boolean => new Set(stage.users.map(u => `${u.ablation}/${u.arm}`)).size > 1;

function planText(chosen: Chosen, states: States, list: boolean): string {
  const { plan, ablations, profile, seeds } = chosen;
  const lines = [
    `${heading(`Plan at profile ${profile.name}`)}: ${plural(ablations.length, 'ablation')}, ${plural(plan.arms.length, 'arm')} (seeds ${seeds.join(', ')}), ${plural(plan.stages.size, 'stage')}`,
    '',
    ...ablations.map(({ declaration, arms }) => `  ${pc.cyan(declaration.name)}  ${declaration.table}: ${declaration.title} ${pc.dim(`(${plural(arms.length, 'arm')})`)}`),
    '',
    kindTable(plan, states),
  ];
  if (list) lines.push('', stageTable(plan, states));
  return lines.join('\n');
}

function kindTable(plan: Plan, states: States): string {
  const kinds = [...new Set([...plan.stages.values()].map(s => s.kind))];
  const row = (name: string, stages: readonly PlannedStage[]): string[] => {
    const left = stages.filter(s => states.get(s.key)?.state !== 'done');
    const cost = totalCost(left);
    return [name, count(stages.length), count(stages.filter(isShared).length), count(stages.length - left.length), count(left.length),
      count(cost.unlabelledImages), count(cost.labelledImages), flops(cost.flops)];
  };
  const all = [...plan.stages.values()];
  return table([
    ['stage', 'all', 'shared', 'done', 'to run', 'images left', 'labelled left', 'compute left'].map(h => pc.dim(h)),
    ...kinds.map(kind => row(kind, all.filter(s => s.kind === kind))),
    row('total', all),
  ]);
}

function stageTable(plan: Plan, states: States): string {
  return table(
    [['key', 'kind', 'state', 'what for'].map(h => pc.dim(h)),
      ...[...plan.stages.values()].map(s => [s.key.slice(0, 12), s.kind, states.get(s.key)?.state ?? 'absent', stageLabel(s)])],
    [0, 1, 2, 3],
  );
}

function planJson({ plan, profile, seeds }: Chosen, states: States): string {
  const stages = [...plan.stages.values()].map(s => ({
    key: s.key, kind: s.kind, revision: s.revision, seed: s.seed, roles: s.roles, state: states.get(s.key)?.state ?? 'absent',
    cost: s.cost, upstream: s.upstream, recipe: s.recipe, users: s.users.map(armText),
  }));
  return JSON.stringify({ profile: profile.name, seeds, stages, arms: plan.arms }, undefined, 2);
}
