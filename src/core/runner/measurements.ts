/** Where measured speeds are kept, and what finished stages tell of theirs. */
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { amountOf, type Shapes, type SpeedMeasurement } from '../plan/pace.ts';
import type { Plan, PlannedStage } from '../plan/plan.ts';
import type { Sharings } from '../plan/sharing.ts';
import { StoreError } from '../store/errors.ts';
import type { StoreReader } from '../store/reader.ts';

/** What a speed depends on beside the shape of the stage. */
export interface Hardware {
  readonly device: 'cpu' | 'gpu';
  readonly threads: number;
  readonly cpu: string;
  /** `tensorflow 2.21.0`. A stage that loads no engine has none, and its speed counts whichever engine is installed. */
  readonly engine: string;
}

const line = z.object({
  shape: z.string(),
  perSecond: z.number().positive(),
  start: z.number().min(0),
  process: z.number().min(0).optional(),
  device: z.enum(['cpu', 'gpu']),
  threads: z.int(),
  cpu: z.string(),
  engine: z.string().nullable(),
  time: z.string(),
});
export type KeptMeasurement = z.infer<typeof line>;

/** Engine of a stage's provenance, as `Hardware` names it. */
export function engineText(facts: unknown): string | null {
  const parsed = z.object({ engine: z.object({ name: z.string(), libraryVersion: z.string() }) }).safeParse(facts);
  return parsed.success ? `${parsed.data.engine.name} ${parsed.data.engine.libraryVersion}` : null;
}

const fits = (m: Omit<Hardware, 'engine'> & { engine: string | null }, { device, threads, cpu, engine }: Hardware): boolean =>
  m.device === device && m.threads === threads && m.cpu === cpu && (m.engine === null || m.engine === engine);

/** Measurements on this hardware, oldest first. Lines that are none (torn, or of another version) are passed over. */
export function readMeasurements(file: string, hardware: Hardware): SpeedMeasurement[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return [];
  }
  return text.split('\n').flatMap(row => {
    const parsed = line.safeParse(jsonOrNothing(row));
    return parsed.success && fits(parsed.data, hardware) ? [parsed.data] : [];
  });
}

/** Appends one line, which is how several processes may write at once. */
export function keepMeasurement(file: string, measurement: Omit<KeptMeasurement, 'time'>): void {
  mkdirSync(dirname(file), { recursive: true });
  appendFileSync(file, `${JSON.stringify({ ...measurement, time: new Date().toISOString() })}\n`);
}

const provenance = z.object({
  ended: z.iso.datetime(),
  cpu: z.string(),
  threads: z.int(),
  place: z.string(),
  jobs_before: z.int().default(0),
  pack: z.object({ members: z.int().positive() }).default({ members: 1 }),
  stage: z.looseObject({ images_per_second: z.number().positive().optional() }),
});

/** What the finished stages of a plan tell, for the hardware that they ran on; those of new processes, whose start is in their times, come first. */
export function measurementsIn(store: StoreReader, { stages }: Plan, shapes: Shapes, sharings: Sharings, hardware: Hardware): SpeedMeasurement[] {
  const found = [...stages.values()].flatMap(stage => {
    try {
      return measurementOf(store, stage, shapes, sharings, hardware) ?? [];
    } catch (error) {
      if (error instanceof StoreError) return []; // damaged: others will tell
      throw error;
    }
  });
  return [...found.filter(f => f.isFirst), ...found.filter(f => !f.isFirst)].map(f => f.measurement);
}

function measurementOf(store: StoreReader, stage: PlannedStage, shapes: Shapes, sharings: Sharings, hardware: Hardware): { measurement: SpeedMeasurement; isFirst: boolean } | undefined {
  const done = store.doneAttempt(stage.key);
  const facts = done === undefined ? undefined : provenance.safeParse(store.provenance(stage.key));
  if (done !== 1 || !facts?.success) return undefined; // a resumed stage does not tell how long a whole one takes
  const {
    ended,
    cpu,
    threads,
    place,
    stage: own,
    pack: { members },
    jobs_before: before,
  } = facts.data;
  const device = place.startsWith('gpu') ? 'gpu' : 'cpu';
  if (!fits({ device, threads, cpu: cpu.trim(), engine: engineText(own) }, hardware)) return undefined;
  const created = store.attempt(stage.key, done)?.created;
  const seconds = created === undefined ? 0 : (Date.parse(ended) - Date.parse(created)) / 1e3;
  const amount = amountOf(stage.cost);
  if (!(seconds > 0) || amount === 0) return undefined;
  // By the stage's share of the time of its pack, of which `share` of its work was spent once for all of them.
  const rate = own.images_per_second ?? (members * amount) / seconds;
  const share = sharings.get(stage.key)?.share ?? 0;
  const start = Math.max(0, seconds - (members * amount) / rate);
  return { measurement: { shape: shapes.of(stage), perSecond: rate * (1 - share + share / members), start }, isFirst: before === 0 };
}

function jsonOrNothing(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
