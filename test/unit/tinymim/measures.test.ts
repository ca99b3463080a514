/** The columns of Table 4: which stages give an arm's numbers, and what they are called at a scale. */
import { describe, expect, it } from 'vitest';
import type { StageSpec } from '../../../src/core/ablation/declaration.ts';
import { factors, type Factors } from '../../../src/tinymim/factors.ts';
import { measures, realiseMeasures } from '../../../src/tinymim/measures.ts';
import { profile as profileSchema } from '../../../src/tinymim/profile.ts';
import { realise } from '../../../src/tinymim/realise.ts';
import { testSetFile } from '../../../src/tinymim/robustness.ts';
import imagenet1k from '../../../experiments/profiles/imagenet1k.ts';
import mini from '../../../experiments/profiles/mini.ts';

const paper = profileSchema.parse(imagenet1k),
  small = profileSchema.parse(mini);
const COLUMNS = ['accuracy', 'imagenet_a', 'imagenet_r', 'mce'];
const stages = (choice: Partial<Factors>, profile = small): readonly [StageSpec, StageSpec, StageSpec, StageSpec] =>
  realiseMeasures(factors.parse(choice), profile, 7, COLUMNS) as unknown as readonly [StageSpec, StageSpec, StageSpec, StageSpec];

/** Without roles, which are no part of what a stage is. */
const identity = ({ kind, recipe, seed, upstream }: StageSpec): object => ({
  kind,
  recipe,
  seed,
  upstream: Object.fromEntries(Object.entries(upstream).map(([slot, stage]) => [slot, identity(stage)])),
});

describe('the numbers of an arm', () => {
  it('are of one classifier, and of no training but those of the accuracy', () => {
    const all = stages({ student: 'T', teachers: ['L', 'B', 'S'], schedule: 'main' });
    expect(all.map(({ role }) => role)).toEqual(['evaluate', 'imagenet-a', 'imagenet-r', 'corrupted']);
    for (const { upstream } of all) expect(upstream['weights']).toEqual(all[0].upstream['weights']);
    expect(all[0]).toEqual(realise(factors.parse({ student: 'T', teachers: ['L', 'B', 'S'], schedule: 'main' }), small, 7));
  });

  it('are those that are asked for, in that order', () => {
    expect(realiseMeasures(factors.parse({}), small, 0, ['mce', 'accuracy']).map(({ role }) => role)).toEqual(['corrupted', 'evaluate']);
  });

  it("are of TinyMIM* those of its fine-tuning alone, before which it is TinyMIM: no mIoU is TinyMIM's under its name", () => {
    const star = { student: 'T', teachers: ['L', 'B', 'S'], schedule: 'main', finetuneTeacher: 'L' } satisfies Partial<Factors>;
    const roles = (choice: Partial<Factors>) => realiseMeasures(factors.parse(choice), paper, 7, ['accuracy', 'miou', 'miou-finetuned']).map(({ role }) => role);
    expect(roles(star)).toEqual(['evaluate', 'segment-evaluate-finetuned']);
    const { finetuneTeacher, ...plain } = star;
    expect(roles(plain)).toEqual(['evaluate', 'segment-evaluate', 'segment-evaluate-finetuned']);
    expect(finetuneTeacher).toBe('L');
    expect(roles({ method: 'scratch' })).toEqual(['evaluate', 'segment-evaluate']);
  });

  it('are called by the images behind them', () => {
    const label = (name: string, profile: typeof small): string => measures[name]!.label!(profile);
    expect(['imagenet_a', 'imagenet_r', 'mce'].map(name => label(name, paper))).toEqual(['ImageNet-A', 'ImageNet-R', 'mean corruption error on ImageNet-C']);
    expect(label('imagenet_a', small)).toBe('accuracy on sheared and scaled images');
    expect(label('imagenet_r', small)).toBe('accuracy on images with inverted shades');
    expect(label('mce', small)).toMatch(/relative to the ViT-B from scratch$/);
  });
});

describe('the reference of corruption errors', () => {
  it('is the ViT-B from scratch of the same seed, as that arm tests it', () => {
    const [, , , ofTiny] = stages({ student: 'T', method: 'mae' }),
      [, , , ofReference] = stages({ student: 'B', method: 'scratch' });
    expect(identity(ofTiny.upstream['reference']!)).toEqual(identity(ofReference));
    expect(Object.keys(ofReference.upstream)).toEqual(['weights']);
    expect(ofTiny.recipe['denominators']).toBeNull();
  });

  it('is AlexNet, as published, on ImageNet-C, whose images are shown as they are', () => {
    const [tested, a, , corrupted] = stages({ student: 'T', method: 'mae' }, paper);
    expect(corrupted.recipe).toMatchObject({ corrupted: { name: 'imagenet-c' }, denominators: 'alexnet', crop: null });
    expect(Object.keys(corrupted.upstream)).toEqual(['weights']);
    expect([tested.recipe['crop'], a.recipe['crop']]).toEqual([{ resize: 256 }, { resize: 256 }]);
  });
});

describe('folders of test sets', () => {
  it('are missed by the stages that need them, and by no others', () => {
    const [tested, a, , corrupted] = stages({ student: 'T', method: 'mae' }, paper);
    const missing = (stage: StageSpec): unknown => testSetFile(stage, { declarations: '', dataDir: () => '/nowhere' });
    expect(missing(tested)).toBeUndefined();
    expect(missing(a)).toEqual({ text: expect.stringMatching(/^Expected the folder of ImageNet-A, got none: /) as string, missing: { mend: ['setup', '--data', 'imagenet-a=/path/to/folder'] } });
    expect(missing(corrupted)).toMatchObject({ missing: { mend: ['setup', '--data', 'imagenet-c=/path/to/folder'] } });
    expect(stages({}).map(missing)).toEqual([undefined, undefined, undefined, undefined]);
  });
});
