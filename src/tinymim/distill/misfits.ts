/** Whether a target goes with student and teacher. Without tensor code, so that planning can ask. */
import { headsOf, patchGrid, type Misfit, type ViTConfig } from '../nn/config.ts';
import type { Target } from './target.ts';

/** A block of a model, counted from 1. */
export interface ModelBlock {
  readonly config: ViTConfig;
  readonly block: number;
}

/** What does not fit, by fields of a distillation's recipe; the student is tapped at its last block. */
export function distillMisfits(target: Target, student: ViTConfig, teacher: ModelBlock): Misfit[] {
  const [own, grid] = [patchGrid(student), patchGrid(teacher.config)].map(sides => sides.join(' x '));
  return [
    ...(own === grid ? [] : [{ field: 'model.patch_size', expected: `one that cuts images as those of its teacher, into ${grid} patches` }]),
    ...(teacher.block <= teacher.config.depth ? [] : [{ field: 'teacher_block', expected: `at most ${teacher.config.depth}, the blocks of its teacher` }]),
    ...targetMisfits(target, student, teacher),
  ];
}

function targetMisfits(target: Target, student: ViTConfig, teacher: ModelBlock): Misfit[] {
  switch (target.family) {
    case 'relation': {
      const heads = headsOf(teacher.config, teacher.block);
      return [
        ...(new Set(target.pairs).size === target.pairs.length ? [] : [{ field: 'target.pairs', expected: 'each pair once' }]),
        ...(target.heads === 'averaged' || heads === headsOf(student, student.depth)
          ? []
          : [{ field: 'model.last_block_heads', expected: `${heads}, the heads of its teacher's block (num_heads is ${student.num_heads}; or target.heads 'averaged')` }]),
      ];
    }
    case 'feature':
      return target.final_norm && target.feature !== 'block' ? [{ field: 'target.final_norm', expected: `false with the feature ${target.feature}: the final norm belongs behind 'block'` }] : [];
    case 'class-token':
      return []; // the projection fits any two networks
  }
}
