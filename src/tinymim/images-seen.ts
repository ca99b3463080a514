/** How many images arms see at the scale of a profile: whether pre-training can show anything depends on it. */
import type { StageSpec } from '../core/ablation/declaration.ts';
import { imagesSeen } from './stages/kinds.ts';
import { pretrainStage, scheduleOf } from './distillation.ts';
import { factors, type Factors, type ModelSize } from './factors.ts';
import type { Profile } from './profile.ts';
import { finetuneStage, realise } from './realise.ts';

const STUDENTS: readonly ModelSize[] = ['T', 'S', 'B'];

/**
 * Of the teacher that arms have by default, the student's own MAE, a distilled student and a training from scratch. The recipe of the teacher is that of
 * the profile also where its MAE was trained before and is kept as a file; of a released checkpoint nothing is known.
 */
export function imagesSeenText(profile: Profile): string {
  const { data, unlabelled_images: images, teachers } = profile;
  const unlabelled = (schedule: Factors['schedule']): string => count(imagesSeen({ data, images, schedule: scheduleOf({ schedule }, profile) }));
  const labelled = (method: Factors['method'], size: ModelSize): string => {
    const arm = factors.parse({ method, student: size });
    const stage = method === 'distill' ? finetuneStage(arm, profile, 0, pretrainStage(profile, size, 0, 'weights')) : realise(arm, profile, 0).upstream['weights']!;
    return count(seen(stage));
  };
  const pretrained = (size: ModelSize): string => count(seen(pretrainStage(profile, size, 0, 'pretrain')));
  return [
    `teacher MAE ViT-L ${teachers?.L && 'checkpoint' in teachers.L ? 'not trained here' : `${pretrained('L')} without labels`}`,
    `a student's own MAE ${bySize(size => `${pretrained(size)} without, ${labelled('mae', size)} with`)}`,
    `a distilled student ${bySize(size => `${unlabelled('ablation')} without (${unlabelled('main')} on the main schedule), ${labelled('distill', size)} with`)}`,
    `a student from scratch ${bySize(size => `${labelled('scratch', size)} with`)}`,
  ].join('; ');
}

const count = (images: number): string => images.toLocaleString('en-US');

const seen = ({ recipe }: StageSpec): number => imagesSeen(recipe as unknown as Parameters<typeof imagesSeen>[0]);

/** Once where all sizes agree. */
function bySize(textOf: (size: ModelSize) => string): string {
  const texts = new Map<string, ModelSize[]>();
  for (const size of STUDENTS) texts.set(textOf(size), [...(texts.get(textOf(size)) ?? []), size]);
  return [...texts].map(([text, sizes]) => (texts.size === 1 ? text : `${sizes.map(size => `ViT-${size}`).join(', ')} ${text}`)).join(', ');
}
