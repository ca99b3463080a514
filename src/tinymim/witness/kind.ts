/** The stage in which a second implementation, in PyTorch, distills, fine-tunes and tests a student: see witness.py. */
import { z } from 'zod';
import type { JsonObject, Objection, StageCost, StageKind } from '../../core/ablation/kind.ts';
import { commandStage } from '../../core/command/command-stage.ts';
import { kinds } from '../stages/kinds.ts';
import { distillRecipe, evaluateRecipe, finetuneRecipe, vitRecipe } from '../stages/recipes.ts';
import { impossible, objectIf } from '../stages/rules.ts';

const recipe = z.strictObject({
  /** The teacher as a distillation runs it. */
  teacher: vitRecipe,
  /** Of the stages that ours would be. */
  distill: distillRecipe,
  finetune: finetuneRecipe,
  evaluate: evaluateRecipe,
});

export type WitnessRecipe = z.infer<typeof recipe>;

const ours = (name: string): StageKind => kinds.find(kind => kind.name === name)!;

interface Part {
  readonly field: 'distill' | 'finetune' | 'evaluate';
  readonly kind: StageKind;
  readonly recipe: JsonObject;
  readonly upstream: Readonly<Record<string, JsonObject>>;
}

/** The stages that ours would be. */
function partsOf(whole: WitnessRecipe, { teacher }: Readonly<Record<string, JsonObject>>): Part[] {
  const { distill, finetune, evaluate } = whole as unknown as Readonly<Record<Part['field'], JsonObject>>;
  return [
    { field: 'distill', kind: ours('distill'), recipe: distill, upstream: { teacher: teacher! } },
    { field: 'finetune', kind: ours('finetune'), recipe: finetune, upstream: { weights: distill } },
    { field: 'evaluate', kind: ours('evaluate'), recipe: evaluate, upstream: { weights: finetune } },
  ];
}

const sum = (costs: readonly StageCost[], what: keyof StageCost): number => costs.reduce((total, cost) => total + cost[what], 0);

export const witnessKind = commandStage({
  name: 'witness',
  revision: 1,
  recipe,
  upstream: { teacher: { kinds: ['pretrain', 'distill', 'checkpoint'] } },
  metrics: ours('evaluate').metrics,
  command: ['python3', '-B', 'witness.py'], // -B: no compiled files beside the sources
  sources: ['witness.py', 'model.py', 'images.py'],
  versions: [
    ['python3', '--version'],
    ['python3', '-c', 'import torch; print("torch", torch.__version__)'],
  ],
  check: (whole, upstream) => [
    ...partsOf(whole, upstream).flatMap(part => (part.kind.check?.(part.recipe, part.upstream) ?? []).map(objection => ({ ...objection, field: `${part.field}.${objection.field}` }))),
    ...beyond(whole),
  ],
  cost: (whole, upstream) => {
    const costs = partsOf(whole, upstream).map(part => part.kind.cost(part.recipe, part.upstream));
    return { labelledImages: sum(costs, 'labelledImages'), unlabelledImages: sum(costs, 'unlabelledImages'), flops: sum(costs, 'flops') };
  },
});

/** What the script has not got is refused rather than trained otherwise. */
function beyond({ distill, finetune, evaluate }: WitnessRecipe): Objection[] {
  const { rand_augment, random_erase, repeats, mixing } = finetune.augment;
  const isPrecise = [distill, finetune, evaluate].every(({ engine }) => engine.precision === 'float32');
  const isAveraged = [distill, finetune].some(({ optimizer }) => (optimizer.ema_decay ?? null) !== null);
  const isStrong = rand_augment !== null || random_erase > 0 || repeats > 1 || mixing !== null;
  return [
    ...objectIf(distill.data.name !== 'fashion-mnist', impossible('distill.data', 'Fashion-MNIST, which is all that the PyTorch implementation reads')),
    ...objectIf(!isPrecise, impossible('distill.engine.precision', 'float32, as the PyTorch implementation has no other')),
    ...objectIf(isAveraged, impossible('distill.optimizer.ema_decay', 'null, as the PyTorch implementation averages no weights')),
    ...objectIf(isStrong, impossible('finetune.augment', 'crop and flip alone, as the PyTorch implementation has no more')),
    ...objectIf((finetune.model.pool ?? 'mean') !== 'mean', impossible('finetune.model.pool', 'mean, as the PyTorch implementation pools in no other way')),
    ...objectIf(evaluate.crop !== null, impossible('evaluate.crop', 'null, as the PyTorch implementation takes images as they are')),
  ];
}
