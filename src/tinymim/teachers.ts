/** The teachers of an arm as arms of their own, fine-tuned: what there is to learn. */
import type { HeadroomArm } from '../core/ablation/declaration.ts';
import { chosen, teacherFactors, type Factors, type ModelSize } from './factors.ts';

/** Every teacher of the sequence, first to last; none for an arm that has none. */
export function teachersOf(arm: Factors): HeadroomArm<Factors>[] {
  if (arm.method !== 'distill') return [];
  const [first, ...others] = arm.teachers;
  return [maeTeacher(first!), ...others.map((size, i) => distilledTeacher(arm, size, arm.teachers.slice(0, i + 1)))];
}

const maeTeacher = (size: ModelSize): HeadroomArm<Factors> => ({
  name: `mae-${size.toLowerCase()}`,
  label: `MAE ViT-${size}, fine-tuned`,
  factors: { method: 'mae', mae: 'teacher', student: size },
});

const STUDENTS: Readonly<Record<Factors['target'], readonly [name: string, label: string]>> = {
  relation: ['tinymim', 'TinyMIM'],
  feature: ['feature', 'Features'],
  'class-token': ['class-token', 'Class token'],
};

/** A distilled teacher is the student of those before it. */
function distilledTeacher(arm: Factors, size: ModelSize, teachers: ModelSize[]): HeadroomArm<Factors> {
  // What sequences alone choose means nothing for the student of a MAE.
  const ofSequence = teachers.length > 1 ? {} : { teacherTarget: 'relation' as const, teacherHeads: 'distilled' as const };
  const factors: Factors = { ...teacherFactors(arm), student: size, teachers, ...ofSequence };
  const [name, label] = STUDENTS[factors.target];
  const more = Object.entries(chosen(factors)).filter(([field]) => !['student', 'teachers', 'target'].includes(field));
  return {
    name: [name, size, 'from', ...teachers, ...more.flat().map(String)]
      .join('-')
      .toLowerCase()
      .replaceAll(/[^a-z0-9.]+/g, '-'),
    label: [`${label} ViT-${size} (from MAE-${teachers.join(', ')})`, ...more.map(([field, value]) => `${field} ${String(value)}`), 'fine-tuned'].join(', '),
    factors,
  };
}
