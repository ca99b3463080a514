/** A plan as text for the terminal, and as JSON with all that the text shows. */
import { assumptionsOf } from '../../core/ablation/assumptions.ts';
import type { Assumption } from '../../core/ablation/declaration.ts';
import { isHeadroom } from '../../core/ablation/headroom.ts';
import { declaredSeeds } from '../../core/ablation/swept.ts';
import { armText, stageLabel, totalCost, type Plan, type PlannedStage } from '../../core/plan/plan.ts';
import { bytesOf, type Fit } from '../../core/plan/memory.ts';
import { objectionSentence, type PlanObjection } from '../../core/plan/objections.ts';
import type { PowerForecast, Spread } from '../../core/inspect/detectable.ts';
import type { CardForecast, DiskForecast, Forecast, PackForecast, TimeForecast } from '../../core/inspect/forecast.ts';
import type { PlannedExperiments } from '../../core/plan/plan.ts';
import { waiting, type PlannedFile } from '../../core/plan/files.ts';
import type { States } from '../../core/inspect/states.ts';
import { harmlessJson, oneLine, shorten } from '../../core/text/clean.ts';
import { formatAmount, formatCount, formatValue, listed, plural, type Unit } from '../../core/text/format.ts';
import { columns, duration, heading, textTable, wrap } from './text.ts';
import { pc } from './colours.ts';
import { missingFileTexts, presentFileText } from './missing-file.ts';

export interface PlanView {
  readonly chosen: PlannedExperiments;
  readonly states: States;
  /** As given to `--devices`. */
  readonly devices: string;
  readonly forecast: Forecast;
  /** What runs and is surely not meant. */
  readonly doubts: readonly PlanObjection[];
  /** That stages to run start from. */
  readonly files: readonly PlannedFile[];
  /** Absent where no claim is declared. */
  readonly power: PowerForecast | undefined;
}

/** Used by several tables, and run once. */
const isShared = (stage: PlannedStage): boolean => new Set(stage.users.map(u => u.ablation)).size > 1;

export function planText(view: PlanView, listStages: boolean): string {
  const {
    chosen: { plan, ablations, profile, overrides, seeds, study },
    states,
    forecast,
    doubts,
  } = view;
  const scale = [`Plan at profile ${profile.name}`, ...overrides].join(', ');
  const assumptions = assumptionsOf(study, profile, overrides);
  const lines = [
    wrap(`${heading(scale)}: ${armsText(view)} (seeds ${seeds.join(', ')}), ${plural(plan.stages.size, 'stage')}`, columns(), '  '),
    '',
    textTable(
      inOrderOfSweep(ablations).map(({ declaration: d, arms, seeds: own }) => [
        pc.cyan(d.name),
        d.table,
        shorten(d.title, 50),
        pc.dim(plural(arms.length, 'arm')),
        ...(ablations.some(other => other.seeds?.length !== own?.length) ? [pc.dim(plural((own ?? seeds).length, 'seed'))] : []),
      ]),
      [0, 1, 2, 3],
    ),
    '',
    kindTable(plan, states, forecast),
    '',
    ...forecastLines(view),
    ...(doubts.length > 0 ? ['', doubtLines(doubts)] : []),
    ...(assumptions.length > 0 ? ['', assumptionLines(assumptions)] : []),
    ...(listStages ? ['', stageTable(plan, states, waiting(plan, view.files))] : []),
  ];
  return lines.join('\n');
}

const inOrderOfSweep = (ablations: PlannedExperiments['ablations']): PlannedExperiments['ablations'] => [...ablations].sort((a, b) => (a.part ?? 0) - (b.part ?? 0));

/** `16 ablations, 95 arms and 11 that they rest on`. */
function armsText({ chosen: { plan, ablations, study } }: PlanView): string {
  const own = ablations.filter(({ declaration }) => !isHeadroom(study, declaration.name)).length;
  const arms = new Map(plan.arms.map(({ ablation, arm }) => [`${ablation}/${arm}`, ablation]));
  const headroom = [...arms.values()].filter(ablation => isHeadroom(study, ablation)).length;
  if (own === 0) return plural(headroom, 'arm');
  return `${plural(own, 'ablation')}, ${plural(arms.size - headroom, 'arm')}${headroom === 0 ? '' : ` and ${formatCount(headroom)} that they rest on`}`;
}

function kindTable({ stages }: Plan, states: States, { toRun, packs, time }: Forecast): string {
  const all = [...stages.values()];
  const row = (name: string, ofKind: (stage: PlannedStage) => boolean): string[] => {
    const chosen = all.filter(ofKind),
      left = toRun.filter(ofKind);
    const cost = totalCost(left);
    return [
      name,
      formatCount(chosen.length),
      formatCount(chosen.filter(isShared).length),
      formatCount(chosen.filter(s => states.get(s.key)?.state === 'done').length),
      formatCount(left.length),
      formatCount(cost.unlabelledImages),
      formatCount(cost.labelledImages),
      formatAmount(cost.flops, 'FLOP'),
      ...(time
        ? [
            timeOf(
              packs.filter(p => p.stages.some(ofKind)),
              time,
            ),
          ]
        : []),
    ];
  };
  return textTable([
    ['stage', 'all', 'shared', 'done', 'to run', 'images', 'labelled', 'compute', ...(time ? ['worker time'] : [])].map(h => pc.dim(h)),
    ...[...new Set(all.map(s => s.kind))].map(kind => row(kind, s => s.kind === kind)),
    row('total', () => true),
  ]);
}

function timeOf(packs: readonly PackForecast[], { stages: times }: TimeForecast): string {
  const estimated = packs.some(pack => pack.stages.some(stage => !times.get(stage.key)!.measured));
  return `${estimated ? '~' : ''}${duration(packs.reduce((sum, pack) => sum + pack.seconds!, 0))}`;
}

/** Of each kind that shares: `24 distill stages run in 6 packs, which saves ... of ... FLOPs`. */
function packLines(packs: readonly PackForecast[]): string[] {
  const sharing = packs.filter(pack => pack.stages.length > 1);
  return [...new Set(sharing.map(pack => pack.stages[0]!.kind))].map(kind => {
    const ofKind = sharing.filter(pack => pack.stages[0]!.kind === kind);
    const stages = ofKind.flatMap(pack => pack.stages);
    const saved = ofKind.reduce((sum, pack) => sum + pack.savedFlops, 0),
      all = totalCost(stages).flops;
    const sizes = [...new Set(ofKind.map(pack => pack.stages.length))].sort((a, b) => a - b).join(', ');
    return `${plural(stages.length, `${kind} stage`)} side by side in ${plural(ofKind.length, 'pack')} (of ${sizes}), which saves ${formatAmount(saved, 'FLOP')} of ${formatAmount(all, 'FLOP')} (${Math.round((100 * saved) / Math.max(1, all))} %)`;
  });
}

function forecastLines({ chosen, files, power, forecast: { toRun, packs, disk, card, time, stated, notRunnable, obstacles }, devices }: PlanView): string[] {
  const shared = [...chosen.plan.stages.values()].filter(isShared).length;
  const line = (name: string, text: string): string => `  ${name.padEnd(9)}${wrap(text, columns() - 11, ' '.repeat(11))}`;
  return [
    ...(shared > 0 ? [line('Shared', `${plural(shared, 'stage')} of several tables, run once`)] : []),
    ...missingFileTexts(chosen.plan, files).map(text => line('Missing', text)),
    ...files.filter(({ file }) => !file.missing).map(file => line('File', presentFileText(file))),
    ...packLines(packs).map(text => line('Packs', text)),
    ...(disk && toRun.length > 0 ? [line('Disk', diskText(disk))] : []),
    ...(card && toRun.length > 0 ? [line('Memory', cardText(card, toRun))] : []),
    ...(notRunnable === undefined && toRun.length > 0 ? [line('Time', timeText(time, devices))] : []),
    ...obstacles.map(reason => line('Note', pc.yellow(reason))),
    ...stated.map(statedSpeed => line('Hardware', statedText(statedSpeed, stated.length > 1))),
    ...exploratoryLines(chosen).map(text => line('Seeds', text)),
    ...(power === undefined ? [] : powerLines(power).map((text, i) => line(i === 0 ? 'Power' : '', text))),
    ...(toRun.length === 0 ? [line('Done', 'nothing is left to run')] : []),
  ];
}

/** `6,355 A100 GPU-hours for what is to run, 2,717 of them one after the other, at 13.7 TFLOP/s sustained (...); with engine.precision=tf32 1,390 and 594`. */
function statedText({ hours, chainHours, device, flopsPerSecond, source, otherwise = [] }: Forecast['stated'][number], isPart: boolean): string {
  const others = otherwise.map(other => {
    const [all, chain] = [hours, chainHours].map(own => formatCount((own * flopsPerSecond) / other.flopsPerSecond));
    return `; with ${other.set} ${all} and ${chain}`;
  });
  const speed = `at ${formatAmount(flopsPerSecond, 'FLOP')}/s sustained ${pc.dim(`(${source})`)}`;
  return `${formatCount(hours)} ${device}-hours for ${isPart ? 'a part of ' : ''}what is to run, ${formatCount(chainHours)} of them one after the other, ${speed}${others.join('')}`;
}

/** Seeds that were asked for and that nobody declared. */
export function exploratoryLines({ seeds, profile, ablations }: Pick<PlannedExperiments, 'seeds' | 'profile' | 'ablations'>): string[] {
  const declared = ({ declaration: { name } }: PlannedExperiments['ablations'][number]): readonly number[] => declaredSeeds(profile, name);
  const extra = seeds.filter(seed => ablations.some(ablation => (ablation.seeds ?? seeds).includes(seed) && !declared(ablation).includes(seed)));
  if (extra.length === 0) return [];
  const known = [...new Set(ablations.flatMap(declared))];
  return [
    `${extra.join(', ')} ${extra.length === 1 ? 'is' : 'are'} beyond those that the profile declares${known.some(seed => extra.includes(seed)) ? ' for some ablations' : ` (${known.join(', ')})`}: exploratory, in no verdict`,
  ];
}

/** Which difference the declared seeds can show. */
function powerLines({ seeds, needs, gives, without, power, unit, shows }: PowerForecast): string[] {
  if (!gives) return ['the profile gives no verdicts'];
  if (shows === undefined) return [`${plural(seeds, 'seed')}: no verdict can be given; it needs ${needs}`];
  const { one, family, spread, margin } = shows;
  const size = (difference: number): string => (spread === undefined ? `${formatValue(difference, 'ratio')} standard deviations` : inUnit(difference, unit));
  const among = family === undefined ? '' : `; of ${size(family.difference)}, where it is the first of the ${family.claims} claims of ${family.ablation} (Holm\u2019s correction)`;
  return [
    `${plural(seeds, 'seed')} show a true difference of ${size(one)} with a probability of ${Math.round(100 * power)} %, where a claim of one comparison stands by itself${among}`,
    spread === undefined
      ? `beyond the margin, and of the difference of two arms over seeds: no earlier records of ${needs} seeds tell that deviation, and the profile assumes none`
      : `for a margin of ${inUnit(margin, unit)} and a difference of two arms with a standard deviation over seeds of ${inUnit(spread.deviation, unit)} (${sourceOf(spread)})`,
    ...(without.length === 0 ? [] : [`no verdicts on ${listed(without)}, for which the profile declares fewer than ${needs} seeds`]),
  ];
}

const inUnit = (value: number, unit: Unit): string => `${formatValue(value, unit)}${unit === 'fraction' ? ' points' : ''}`;

const sourceOf = (spread: Spread): string =>
  spread.of === 'profile' ? oneLine(spread.source) : `that of ${plural(spread.pairs, 'pair')} of arms with ${listed(spread.seeds.map(String))} common seeds in earlier records`;

function diskText({ outputs, checkpoints, free }: DiskForecast): string {
  const text = `${formatAmount(outputs + checkpoints, 'B')} (${formatAmount(outputs, 'B')} of results, ${formatAmount(checkpoints, 'B')} of checkpoints at once); ${formatAmount(free, 'B')} free`;
  return outputs + checkpoints > free ? `${text} ${pc.red('which is too little: free some space or choose another --store')}` : text;
}

/** `21.9 GB of a GPU for each worker; pretrain up to 20.8 GB (batches in 4 times as many micro-batches), ...` */
function cardText({ limit, fits }: CardForecast, toRun: readonly PlannedStage[]): string {
  const kinds = [...new Set(toRun.map(stage => stage.kind))].flatMap(kind => {
    const own = toRun.flatMap(stage => (stage.kind === kind ? (fits.get(stage.key) ?? []) : []));
    if (own.length === 0) return [];
    const most = Math.max(...own.map(bytesOf)),
      parts = [...new Set(own.map(fit => fit.microBatches))].sort((a, b) => a - b);
    const split = parts.length === 1 && parts[0] === 1 ? '' : `, batches in ${parts.join(', ')} times as many micro-batches`;
    return [`${kind} up to ${most > limit ? pc.red(formatAmount(most, 'B')) : formatAmount(most, 'B')}${split}`];
  });
  return `${formatAmount(limit, 'B')} of a GPU for each worker; by estimates, which no card has confirmed yet: ${kinds.join('; ')}`;
}

function timeText(time: TimeForecast | undefined, devices: string): string {
  if (time === undefined) return `not known: no stage was measured on ${devices} yet; ${pc.cyan('ablate plan --measure')} runs a few steps of each`;
  const { seconds, chainSeconds, workers, shapes, measuredShapes } = time;
  const estimated = shapes - measuredShapes;
  const basis =
    estimated === 0
      ? `from ${plural(shapes, 'measured stage shape')}`
      : `${measuredShapes} of ${plural(shapes, 'stage shape')} measured, the others (~) from their FLOPs; ${pc.cyan('--measure')} measures them`;
  return `${estimated > 0 ? '~' : 'about '}${duration(seconds)} on ${devices} (${plural(workers, 'worker')}; longest chain ${duration(chainSeconds)}), ${basis}`;
}

function doubtLines(doubts: readonly PlanObjection[]): string {
  return [`${heading(pc.yellow(plural(doubts.length, 'doubt')))}: what runs, and is surely not meant:`, ...doubts.map(doubt => `  ${wrap(objectionSentence(doubt), columns() - 2, '      ')}`)].join(
    '\n',
  );
}

function assumptionLines(assumptions: readonly Assumption[]): string {
  return [
    `${heading(plural(assumptions.length, 'assumption'))} of the profile, for which there is no source:`,
    ...assumptions.map(({ field, value, reason }) => `  ${field} = ${value}\n${pc.dim(`      ${wrap(reason, columns() - 6, '      ')}`)}`),
  ].join('\n');
}

function stageTable(plan: Plan, states: States, waits: ReadonlySet<string>): string {
  const stateOf = ({ key }: PlannedStage): string => (waits.has(key) ? 'file missing' : (states.get(key)?.state ?? 'absent'));
  return textTable([['key', 'kind', 'state', 'what for'].map(h => pc.dim(h)), ...[...plan.stages.values()].map(s => [s.key.slice(0, 12), s.kind, stateOf(s), stageLabel(s)])], [0, 1, 2, 3]);
}

const fitJson = (fit: Fit | undefined): object => (fit ? { card: { microBatches: fit.microBatches, bytes: bytesOf(fit) } } : {});

export function planJson({ chosen: { plan, profile, overrides, seeds, study }, states, devices, forecast, doubts, files, power }: PlanView): string {
  const { toRun, packs, time, disk, card, stated, notRunnable, obstacles } = forecast;
  const left = new Set(toRun.map(s => s.key)),
    waits = waiting(plan, files);
  const stages = [...plan.stages.values()].map(s => ({
    key: s.key,
    kind: s.kind,
    revision: s.revision,
    ...(s.codeHash !== undefined && { codeHash: s.codeHash }),
    seed: s.seed,
    roles: s.roles,
    state: states.get(s.key)?.state ?? 'absent',
    shared: isShared(s),
    toRun: left.has(s.key),
    ...(waits.has(s.key) && { fileMissing: true }),
    ...(time?.stages.get(s.key) && { time: time.stages.get(s.key) }),
    ...(card && fitJson(card.fits.get(s.key))),
    cost: s.cost,
    upstream: s.upstream,
    recipe: s.recipe,
    users: s.users.map(armText),
  }));
  const json = JSON.stringify(
    {
      profile: profile.name,
      overrides,
      seeds,
      devices,
      counts: { stages: stages.length, shared: stages.filter(s => s.shared).length, done: stages.filter(s => s.state === 'done').length, toRun: toRun.length },
      cost: totalCost(toRun),
      disk: disk ?? null,
      card: card ? { limit: card.limit } : null,
      packs: packs.map(({ stages: members, savedFlops, seconds }) => ({ kind: members[0]!.kind, keys: members.map(s => s.key), savedFlops, ...(seconds !== undefined && { seconds }) })),
      time: time ? { ...time, stages: undefined } : null,
      stated,
      notRunnable: notRunnable ?? null,
      obstacles,
      power: power ?? null,
      doubts: doubts.map(({ kinds, arms, field, expected, got }) => ({ kinds, arms, field, expected, got })),
      files: files.map(({ stage, file, instead }) => ({ key: stage.key, text: file.text, ...(file.missing?.mend && { mend: ['ablate', ...file.missing.mend] }), ...(instead && { instead }) })),
      assumptions: assumptionsOf(study, profile, overrides),
      stages,
      arms: plan.arms,
    },
    undefined,
    2,
  );
  return harmlessJson(json);
}
