/** The teachers that lie beside our declarations: what profile, file and card say of each other. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import mini from '../../grid/profiles/mini.ts';
import { listProfiles } from '../../../src/core/ablation/folder.ts';
import { loadExperiments } from '../../../src/core/ablation/load.ts';
import { planExperiments } from '../../../src/core/plan/plan.ts';
import { readEncoder } from '../../../src/tinymim/checkpoints/read.ts';
import { encoder } from '../../../src/tinymim/models.ts';
import { pretrainSchedule, teacherFile, type Profile } from '../../../src/tinymim/profile.ts';
import study from '../../../src/tinymim/study.ts';

const EXPERIMENTS = join(import.meta.dirname, '../../../experiments');
const MOST_BYTES = 4e6;

const loaded = (profile: string, ...sets: string[]) => loadExperiments(EXPERIMENTS, { profile, only: 'teachers/mae-l', sets });
const kept = (await Promise.all(listProfiles(EXPERIMENTS).map(name => loaded(name)))).flatMap(({ profile }) => {
  const teacher = teacherFile(profile as Profile, 'L');
  return teacher && 'path' in teacher ? [{ name: profile.name, ...teacher }] : [];
});

describe('a kept teacher', () => {
  test.each(kept)('of $name is what the profile says, small, and its card has the key of its training', async ({ name, path, sha256 }) => {
    const file = join(EXPERIMENTS, path);
    expect(statSync(file).size).toBeLessThanOrEqual(MOST_BYTES);
    expect(readEncoder(file).sha256).toBe(sha256);
    const card = JSON.parse(readFileSync(file.replace(/\.safetensors$/, '.json'), 'utf8')) as { file: { sha256: string }; stage: { key: string } };
    expect(card.file.sha256).toBe(sha256);
    const { plan } = planExperiments(await loaded(name, 'teachers.L=null'));
    expect([...plan.stages.values()].filter(({ kind }) => kind === 'pretrain').map(({ key }) => key)).toEqual([card.stage.key]);
  });

  test.each(kept)('of $name is found by a profile of another study that takes it over', async ({ name, path }) => {
    const { profile, plan } = planExperiments(await loaded(name));
    const stage = [...plan.stages.values()].find(({ kind }) => kind === 'checkpoint')!;
    expect(study.inputFile!(stage, profile as Profile, { declarations: '/elsewhere', dataDir: () => expect.unreachable() })?.path).toBe(join(EXPERIMENTS, path));
  });
});

describe('a profile', () => {
  const teacher = { path: 'teachers/nowhere.safetensors', sha256: 'a'.repeat(64) };
  const profile = study.profile.parse({ ...mini, teachers: { L: teacher } }) as Profile;

  test('whose teacher lies nowhere still plans, and says where it was looked for and what training it would be', () => {
    const recipe = { model: encoder(profile, 'L'), sha256: teacher.sha256 };
    const found = study.inputFile!({ kind: 'checkpoint', recipe }, profile, { declarations: '/declared', dataDir: () => expect.unreachable() });
    expect(found).toMatchObject({
      text: 'teachers/nowhere.safetensors, the ViT-L teacher: expected this file in /declared, which declares it, got none',
      missing: {},
      instead: { set: 'teachers.L=null' },
    });
  });

  test('with teachers for each replicate trains the one that it could have taken from the file', () => {
    expect(teacherFile(profile, 'L')).toEqual(teacher);
    expect(teacherFile({ ...profile, teacher_seed: 'replicate' }, 'L')).toBeUndefined();
  });

  test('gives a size what differs from the schedule of all', () => {
    const longer = study.profile.parse({ ...profile, pretrain: { ...profile.pretrain, sizes: { L: { epochs: 64, warmup_epochs: 2, batch_size: 128, base_lr: 1e-3 } } } }) as Profile;
    const { schedule } = profile.pretrain;
    expect(pretrainSchedule(longer, 'L')).toEqual({ ...schedule, epochs: 64, warmup_epochs: 2, batch_size: 128, base_lr: 1e-3 });
    expect(pretrainSchedule(longer, 'T')).toEqual(schedule);
    const facts = Object.fromEntries(study.report.facts(longer).map(({ label, value }) => [label, value]));
    expect(facts['MAE pre-training']).toMatch(/^4 epochs, .*; ViT-L: 64 epochs, batch 128, base rate 0\.001 per 256 images$/);
    expect(facts['Teacher ViT-L']).toBe(`teachers/nowhere.safetensors, SHA-256 ${teacher.sha256}: a MAE that was trained once, 64 epochs, batch 128, base rate 0.001 per 256 images`);
  });
});
