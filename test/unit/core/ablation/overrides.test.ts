import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { UsageError } from '../../../../src/core/ablation/errors.ts';
import { applyOverrides } from '../../../../src/core/ablation/overrides.ts';
import type { Study } from '../../../../src/core/ablation/declaration.ts';
import toy from '../../../toy/experiments/study.ts';

const schedule = z.strictObject({ epochs: z.number().positive(), base_lr: z.number(), min_lr: z.number().default(0) });
const profile = z.strictObject({
  name: z.string(),
  title: z.string().default('untitled'),
  seeds: z.array(z.int()),
  teacher_seed: z.union([z.int(), z.literal('replicate')]).default(0),
  distill: z.strictObject({ schedule, jitter: z.strictObject({ brightness: z.number(), contrast: z.number() }).nullable() }),
  finetune: z.strictObject({ schedule, sizes: z.strictObject({ T: schedule.partial(), S: schedule.partial() }).partial().default({}) }),
  data: z.discriminatedUnion('name', [z.strictObject({ name: z.literal('real') }), z.strictObject({ name: z.literal('made'), classes: z.int() })]),
  image_size: z.tuple([z.int(), z.int()]),
  evaluate: z.strictObject({ batch: z.int(), crop: z.boolean() }).default({ batch: 10, crop: true }),
});
const study: Study = { ...toy, profile };
const declared = {
  name: 'p',
  seeds: [0],
  distill: { schedule: { epochs: 2, base_lr: 0.1 }, jitter: { brightness: 0.4, contrast: 0.4 } },
  finetune: { schedule: { epochs: 3, base_lr: 0.1 } },
  data: { name: 'made', classes: 3 },
  image_size: [28, 28],
};
const parsed = profile.parse(declared);
const apply = (...sets: string[]) => applyOverrides(declared, parsed, sets, study);
const after = (...sets: string[]) => profile.parse(apply(...sets).profile);

function refusal(...sets: string[]): string {
  try {
    apply(...sets);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as UsageError).message;
  }
  throw new Error('expected a refusal');
}

describe('a path', () => {
  test('may be written in full or leave names out', () => {
    for (const path of ['distill.schedule.epochs', 'distill.epochs']) expect(apply(`${path}=5`).overrides).toEqual(['distill.schedule.epochs=5']);
    expect(apply('brightness=0.1').overrides).toEqual(['distill.jitter.brightness=0.1']);
  });

  test('counts into lists', () => {
    expect(after('image_size[1]=14').image_size).toEqual([28, 14]);
    expect(apply('image_size.0=14').overrides).toEqual(['image_size[0]=14']);
  });

  test('means a field that the profile has before one that it could have', () => {
    expect(apply('finetune.epochs=5').overrides).toEqual(['finetune.schedule.epochs=5']);
    expect(apply('T.epochs=5').overrides).toEqual(['finetune.sizes.T={"epochs":5,"min_lr":0}']);
  });

  test('must mean one field: the candidates are listed', () => {
    expect(refusal('epochs=5')).toBe('--set epochs=5: expected one field, got 2: distill.schedule.epochs, finetune.schedule.epochs');
  });

  test('names the nearest field', () => {
    expect(refusal('distil.epoch=5')).toBe("--set distil.epoch=5: the profile has no field 'distil.epoch'; did you mean 'distill.schedule.epochs'?");
    expect(refusal('data.epochs=5')).toBe("--set data.epochs=5: the profile has no field 'data.epochs'; did you mean 'distill.schedule.epochs' or 'finetune.schedule.epochs'?");
    expect(refusal('x.y=5')).toBe("--set x.y=5: the profile has no field 'x.y' (known: name, title, seeds, teacher_seed, distill, finetune, data, image_size, evaluate)");
    expect(refusal('image_size[2]=5')).toMatch(/the profile has no field 'image_size\.2'/);
  });

  test.each(['distill.epochs', '=5', 'distill..epochs=5', ''])('refuses %j', set => {
    expect(refusal(set)).toBe(`--set: expected path=value, e.g. distill.epochs=5, got '${set}'`);
  });

  test('name, seeds and what only says how to run are chosen elsewhere', () => {
    expect(refusal('name=q')).toBe('--set name=q: a profile is named as its file; choose one with --profile');
    expect(refusal('seeds=[1]')).toBe('--set seeds=[1]: give the seeds of the replicates with --seeds');
    expect(refusal('verdicts.margin=0')).toBe('--set verdicts.margin=0: how claims are judged is declared before anything is run; write it into the profile');
    expect(refusal('seeds[0]=1')).toMatch('--seeds');
    expect(refusal('workers=2')).toBe('--set workers=2: cannot change a number, so it is no part of an arm, a profile or a recipe; give it on the command line (--devices)');
  });
});

describe('a value', () => {
  test('is JSON, or else a string', () => {
    expect(after('distill.jitter=null').distill.jitter).toBeNull();
    expect(after('teacher_seed=replicate').teacher_seed).toBe('replicate');
    expect(apply('teacher_seed="replicate"').overrides).toEqual(['teacher_seed="replicate"']);
    expect(after('title=a=b').title).toBe('a=b');
  });

  test('is judged by the schema, and the override is named', () => {
    expect(refusal('distill.epochs=abc')).toBe("--set distill.epochs=abc: expected number, got 'abc' (string)");
    expect(refusal('distill.epochs=0')).toBe('--set distill.epochs=0: too small: expected number to be >0, got 0 (number)');
    expect(refusal('distill.jitter={"brightness":1}', 'title="x"')).toBe('--set distill.jitter={"brightness":1}: contrast: expected number, got nothing');
    expect(refusal('data.name=real')).toBe('--set data.name=real: data.classes: unknown field (known: name)');
  });

  test('equal to what is there already, by default or by declaration, changes nothing', () => {
    expect(apply('distill.epochs=2.0', 'title=untitled', 'evaluate.batch=10').overrides).toEqual([]);
    expect(apply('distill.base_lr=1e-1', 'distill.epochs=4').overrides).toEqual(['distill.schedule.epochs=4']);
  });

  test('inside an object that is there by default leaves the rest of it', () => {
    expect(after('evaluate.batch=5').evaluate).toEqual({ batch: 5, crop: true });
  });
});

describe('several overrides', () => {
  test('are sorted, in full, as canonical JSON', () => {
    expect(apply('title="b"', 'data={"name":"real"}', 'distill.jitter={"contrast":0.40,"brightness":1}').overrides).toEqual(['data={"name":"real"}', 'distill.jitter.brightness=1', 'title="b"']);
  });

  test('may not contradict each other', () => {
    expect(refusal('distill.epochs=4', 'distill.schedule.epochs=5')).toBe("--set: expected one value for distill.schedule.epochs, got 'distill.epochs=4' and 'distill.schedule.epochs=5'");
    expect(refusal('distill.jitter.brightness=1', 'distill.jitter=null')).toBe("--set: expected one value for distill.jitter, got 'distill.jitter.brightness=1' and 'distill.jitter=null'");
    expect(apply('distill.epochs=4', 'distill.schedule.epochs=4').overrides).toEqual(['distill.schedule.epochs=4']);
  });

  test('leave the declaration as it was', () => {
    const before = structuredClone(declared);
    apply('distill.epochs=4', 'image_size[0]=1');
    expect(declared).toEqual(before);
  });
});

describe('a word for null', () => {
  const schema = profile.extend({ note: z.string().nullable().default(null), mode: z.enum(['none', 'one']).nullable().default(null), other: z.enum(['a', 'b']).nullable().default('a') });
  const set = (text: string): readonly string[] => applyOverrides(declared, schema.parse(declared), [text], { ...toy, profile: schema }).overrides;

  test.each(['None', 'NONE', 'none', 'NULL', 'Null', ' None '])('%s is told to be null where any text would do', word => {
    expect(() => set(`note=${word}`)).toThrow(`expected null for none, got the word ${word.trim()}; write note=null, or the word in double quotes`);
  });

  test('in quotes, within a text, or as a choice of its own, is what it says', () => {
    expect(set('note="None"')).toEqual(['note="None"']);
    expect(set('note=None of them')).toEqual(['note="None of them"']);
    expect(set('mode=none')).toEqual(['mode="none"']);
    expect(set('title=None')).toEqual(['title="None"']); // a text that cannot be null
    expect(set('note=null')).toEqual([]);
  });

  test('that the schema refuses anyway is told null, too', () => {
    expect(() => set('other=NULL')).toThrow('write other=null');
    expect(() => set('jitter=None')).toThrow('write distill.jitter=null');
  });
});
