/** The images that teacher, baseline and student see, as the report tells them beside its conditions. */
import { expect, test } from 'vitest';
import small from '../../grid/profiles/mini.ts';
import imagenet1k from '../../../experiments/profiles/imagenet1k.ts';
import { imagesSeenText } from '../../../src/tinymim/images-seen.ts';
import { profile as profileSchema, type ProfileDeclaration } from '../../../src/tinymim/profile.ts';
import study from '../../../src/tinymim/study.ts';

const base = {
  ...small,
  unlabelled_images: 1000,
  labelled_images: 500,
  teachers: { L: null },
  pretrain: { ...small.pretrain, schedule: { ...small.pretrain.schedule, epochs: 4, batch_size: 100 } },
  distill: { ...small.distill, schedule: { ...small.distill.schedule, epochs: 2, batch_size: 300 } },
  finetune: { ...small.finetune, sizes: {}, mae: {}, schedule: { ...small.finetune.schedule, epochs: 3, batch_size: 100 } },
  supervise: { ...small.supervise, schedule: { ...small.supervise.schedule, epochs: 9, batch_size: 100 } },
} satisfies ProfileDeclaration;
const seen = (changes: Partial<ProfileDeclaration> = {}): string[] => imagesSeenText(profileSchema.parse({ ...base, ...changes })).split('; ');

test('are counted with every epoch, without the last partial batch', () => {
  expect(seen()).toEqual([
    'teacher MAE ViT-L 4,000 without labels',
    "a student's own MAE 4,000 without, 1,500 with",
    'a distilled student 1,800 without (5,400 on the main schedule), 1,500 with',
    'a student from scratch 4,500 with',
  ]);
});

test('are told by size where the profile trains one longer', () => {
  const [, mae, student] = seen({ finetune: { ...base.finetune, sizes: { T: { epochs: 6 } }, mae: { epochs: 5 } } });
  expect(mae).toBe("a student's own MAE ViT-T 4,000 without, 3,000 with, ViT-S, ViT-B 4,000 without, 2,500 with");
  expect(student).toMatch(/^a distilled student ViT-T .* 3,000 with, ViT-S, ViT-B .* 1,500 with$/);
});

test('of a released teacher are not known', () => {
  expect(imagesSeenText(profileSchema.parse(imagenet1k))).toMatch(/^teacher MAE ViT-L not trained here; /);
});

test('stand beside the conditions of a report, whose curves count the held-out images', () => {
  const profile = profileSchema.parse(base);
  expect(study.report.facts(profile).filter(({ scale }) => scale === true)).toEqual([{ label: 'Images seen, every epoch counted', value: seen().join('; '), scale: true }]);
  const counted = study.report.curves.flatMap(curve => (curve.items === undefined ? [] : [[curve.role, curve.items(profile)]]));
  // Fashion-MNIST holds out 5,000, of which a training looks at the first ones.
  expect(counted).toEqual([
    ['finetune', 1024],
    ['supervise', 1024],
  ]);
});
