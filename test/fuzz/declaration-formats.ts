/** What people write: ablations and profiles (programs, so any value), changes of a profile on the command line, and the published numbers. */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import classToken from '../../experiments/ablations/class-token.ts';
import masking from '../../experiments/ablations/masking.ts';
import relation from '../../experiments/ablations/relation.ts';
import data from '../../experiments/paper.json' with { type: 'json' };
import { parsePaper, published } from '../../experiments/paper.ts';
import mini from '../grid/profiles/mini.ts';
import study from '../../experiments/study.ts';
import type { AblationDeclaration, ProfileBase } from '../../src/core/ablation/declaration.ts';
import { UsageError } from '../../src/core/ablation/errors.ts';
import { expandAblation, type Ablation } from '../../src/core/ablation/expand.ts';
import type { JsonObject } from '../../src/core/ablation/kind.ts';
import { applyOverrides } from '../../src/core/ablation/overrides.ts';
import { byName, type Declarations } from '../../src/core/ablation/references.ts';
import { checkReferences, parseAblation, parseProfile } from '../../src/core/ablation/validate.ts';
import { buildPlan } from '../../src/core/plan/plan.ts';
import toyVariety from '../toy/experiments/ablations/variety.ts';
import toyStudy from '../toy/experiments/study.ts';
import { jsonFile } from './damage.ts';
import { Fault, fileFormat, format, reading, type FileSubject, type Format } from './fuzz.ts';
import { edited, edits, treeOf, valueOf, type Edit } from './tree.ts';

const profile = parseProfile(mini, 'mini.ts', 'mini', study);
const declarations = [relation, masking, classToken] as unknown as AblationDeclaration<JsonObject>[];
const others: Declarations = new Map(declarations.map(declaration => [declaration.name, byName(declaration)]));
const available = [...others.keys()];

function planned(of: typeof study, at: ProfileBase, ablation: Ablation): unknown {
  const { stages } = buildPlan({ study: of, profile: at, ablations: [ablation], seeds: [0] });
  for (const { cost } of stages.values()) {
    if (!Object.values(cost).every(amount => Number.isFinite(amount) && amount >= 0)) throw new Fault(`Expected costs to be numbers, got ${JSON.stringify(cost)}`);
  }
  return [...stages].map(([key, { roles }]) => [key, roles]);
}

function readAblation(value: unknown, name: string, of: typeof study, at: ProfileBase): unknown {
  const declaration = parseAblation(value, `${name}.ts`, name, of);
  checkReferences(declaration, `${name}.ts`, others, available, of);
  const ablation = expandAblation(declaration, of, others);
  return { declaration, arms: ablation.arms, stages: planned(of, at, ablation) };
}

const toyProfile = parseProfile({ name: 'quick', seeds: [0], steps: 5 }, 'quick.ts', 'quick', toyStudy);

/** Whatever is accepted can be planned. No text vouches for what a person meant, so that what is accepted is what was meant. */
const declared = (name: string, declaration: unknown, read: (value: unknown) => unknown): Format =>
  format<Edit[]>(`declaration: ${name}`, () => {
    const before = read(declaration);
    return {
      inputs: fc.array(edits('value'), { minLength: 1, maxLength: 3 }),
      async judge(list) {
        const value = valueOf(list.reduce(edited, treeOf(declaration)));
        if (isDeepStrictEqual(value, declaration)) return undefined;
        const found = await reading(() => read(value), [UsageError]);
        if ('refused' in found) return 'refused';
        return isDeepStrictEqual(found.value, before) ? 'harmless' : 'undetectable';
      },
      close: () => undefined,
    };
  });

const plannedRelation = expandAblation(others.get('relation')!.declaration, study, others);

const overrides = fileFormat('declaration: --set', (): FileSubject<unknown> => ({
  samples: [
    Buffer.from('distill.epochs=5\nmodel.sizes.T.embed_dim=64\nlabelled_images=null\nengine={"mode":"graph","precision":"float32"}\n'),
    Buffer.from('pretrain.schedule.epochs=2\nmodel.image_size[0]=28\n'),
  ],
  read(bytes) {
    const sets = bytes
      .toString('utf8')
      .split('\n')
      .filter(line => line !== '');
    const changed = applyOverrides(mini, profile, sets, study);
    return { overrides: changed.overrides, stages: planned(study, parseProfile(changed.profile, 'mini.ts', 'mini', study), plannedRelation) };
  },
  own: [UsageError],
}));

const ROWS = ['MAE baseline', 'Q-K, V-V without softmax', 'Q-K, V-V with softmax (default)'];

/** A number that is another number is not detectable here; whoever reviews a change of the file sees it. */
const paper = fileFormat('declaration: paper.json', (): FileSubject<unknown> => ({
  samples: ['Table 7', 'Table 12'].map(table => Buffer.from(JSON.stringify(data.filter(r => r.table === 'Table 7' || r.table === table)))),
  codec: jsonFile,
  read: bytes => {
    const records = parsePaper(parsedByNode(bytes));
    return ROWS.map(row => published('Table 7', row, 'Top-1', records));
  },
  own: [UsageError],
}));

/** An import of JSON refuses what is none before we see it, and `loadAblation` tells that as a declaration that cannot be loaded. */
function parsedByNode(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new UsageError('UNREADABLE_DECLARATION', (cause as Error).message, { cause });
  }
}

export const DECLARATION_FORMATS: readonly Format[] = [
  declared('ablation', relation, value => readAblation(value, 'relation', study, profile)),
  declared('ablation with shared arms', masking, value => readAblation(value, 'masking', study, profile)),
  declared('ablation of another study', toyVariety, value => readAblation(value, 'variety', toyStudy, toyProfile)),
  declared('profile', mini, value => planned(study, parseProfile(value, 'mini.ts', 'mini', study), plannedRelation)),
  overrides,
  paper,
];
