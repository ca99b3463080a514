/** What an exported file came from and how good it is, as a card that lies beside it: enough to make it again and to see whether that came out alike. */
import { basename } from 'node:path';
import { z } from 'zod';
import { UsageError } from '../ablation/errors.ts';
import type { JsonObject } from '../ablation/kind.ts';
import { parseJson } from '../ablation/json.ts';
import type { PlannedExperiments } from '../plan/plan.ts';
import { publicFacts } from '../report/records/public-facts.ts';
import { mean, sampleStd } from '../report/statistics/statistics.ts';
import type { StoreReader } from '../store/reader.ts';
import { formatDelta, formatValue, plural } from '../text/format.ts';
import type { ChosenArm } from './arm.ts';
import type { NamedStage } from './exported.ts';

/** What two cards are compared by; a card has more, for people. */
const compared = z.looseObject({
  stage: z.looseObject({ key: z.string().regex(/^[0-9a-f]{32}$/) }),
  measured: z.looseObject({ metric: z.string(), unit: z.enum(['fraction', 'loss', 'count', 'ratio']), by_seed: z.record(z.string().regex(/^\d+$/), z.number()) }),
});
export type Card = z.infer<typeof compared>;

interface CardOf {
  readonly chosen: PlannedExperiments;
  readonly arm: ChosenArm;
  readonly stage: NamedStage;
  readonly store: StoreReader;
  readonly file: { readonly path: string; readonly bytes: number; readonly facts: JsonObject };
  /** Commands that make the stage and the file again. */
  readonly remake: readonly string[];
}

/** @throws UsageError where no replicate of the arm that rests on the stage has been measured */
export function cardOf({ chosen, arm, stage, store, file, remake }: CardOf): Card {
  const { study, profile, overrides } = chosen;
  const { key, identity } = stage;
  const { commit, dirty, cpu, wall_seconds, stage: facts } = publicFacts((store.provenance(key) ?? {}) as JsonObject);
  const trained = Object.fromEntries(Object.entries({ commit, dirty, cpu, wall_seconds, ...(facts as JsonObject | undefined) }).filter(([, value]) => value !== undefined)) as JsonObject;
  return {
    study: study.name,
    file: { name: basename(file.path), bytes: file.bytes, ...file.facts },
    remake: [...remake],
    profile: profile.name,
    set: [...overrides],
    stage: { name: stage.name, key, kind: identity.kind, revision: identity.revision, seed: identity.seed, recipe: identity.recipe, result: store.result(key) ?? {} },
    trained,
    measured: { arm: arm.name, ...measuredOf(chosen, arm, key, store) },
  };
}

/** The number that arms are compared by, of all replicates of the arm that rest on the stage. */
function measuredOf({ study, plan }: PlannedExperiments, { name, replicates }: ChosenArm, key: string, store: StoreReader): Card['measured'] {
  const { role, metric } = study.report.headline;
  const finals = replicates.flatMap(({ seed, stages }) => {
    const final = stages[role],
      result = final === undefined ? undefined : store.result(final);
    return Object.values(stages).includes(key) && result !== undefined ? [{ seed, stage: plan.stages.get(final!)!, value: Number(result[metric]) }] : [];
  });
  const [first] = finals;
  if (first === undefined) throw new UsageError('NOT_MEASURED', `--card: expected ${name} to be done to its ${role}, got no seed that is; run ablate sweep --only ${name}`);
  const values = finals.map(({ value }) => value);
  return {
    metric,
    unit: study.kinds.find(({ name: kind }) => kind === first.stage.kind)!.metrics[metric]!.unit,
    recipe: first.stage.recipe,
    by_seed: Object.fromEntries(finals.map(({ seed, value }) => [String(seed), value])),
    mean: mean(values),
    ...(values.length > 1 && { standard_deviation: sampleStd(values) }),
  };
}

/** @throws UsageError where the text is no card */
export function parseCard(text: string, source: string): Card {
  const parsed = compared.safeParse(unlessBroken(text));
  if (parsed.success) return parsed.data;
  throw new UsageError('NOT_A_CARD', `--against: expected a card that ablate export --card has written, got ${source}: ${parsed.error.issues[0]!.path.join('.') || 'no JSON object'}`);
}

function unlessBroken(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

interface Likeness {
  readonly sameKey: boolean;
  readonly lines: readonly string[];
}

/** A stage made anew beside the one on a card: the same recipe, and how far its numbers are off. */
export function compareCards(made: Card, kept: Card): Likeness {
  const sameKey = made.stage.key === kept.stage.key;
  const { metric, unit } = made.measured;
  const [here, there] = [made, kept].map(({ measured }) => Object.values(measured.by_seed));
  const text = (values: readonly number[]): string =>
    `${formatValue(mean(values), unit)} (${plural(values.length, 'seed')}${values.length > 1 ? `, standard deviation ${formatValue(sampleStd(values), unit)}` : ''})`;
  return {
    sameKey,
    lines: [
      sameKey
        ? `Key ${made.stage.key.slice(0, 12)}: that of the card.`
        : `Key ${made.stage.key.slice(0, 12)}: another than ${kept.stage.key.slice(0, 12)} of the card. It has another recipe, seed or revision.`,
      kept.measured.metric === metric && here!.length > 0 && there!.length > 0
        ? `${metric}: ${text(here!)}; on the card ${text(there!)}; difference ${formatDelta(mean(here!) - mean(there!), unit)}.`
        : `${metric}: ${text(here!)}; the card has none to compare it with.`,
    ],
  };
}
