/**
 * A frozen teacher as programs of its own, which students of several kinds can share: a function for the patch embedding, two
 * for a block, and one for each thing that students are to match. There is one copy of the weights, and blocks of one shape are
 * one function. The functions are the same whatever is taken from them, so that a student's targets are the same
 * to the bit whoever is trained beside it. A block runs only when a target needs it.
 */
import { tapOf, teacherTargets, type Target } from '../distill/target.ts';
import { completeBlock, projectQkv, type BlockTensors, type Qkv, type TokenShape } from '../nn/block.ts';
import { headsOf, patchCount, type ViTConfig } from '../nn/config.ts';
import { blockScale, constantRates } from '../nn/drop-path.ts';
import { embedTokens, mergeTaps, toTokens, type Feature } from '../nn/vit.ts';
import { typesOf } from '../../engine/compile/checks.ts';
import { compileProgram } from '../../engine/compile/compile-program.ts';
import { disposeFrozen, freeze, frozenTypes, type Frozen } from '../../engine/compile/frozen.ts';
import type { Compilable, Program } from '../../engine/compile/program.ts';
import type { StepFunction } from '../../engine/compile/step.ts';
import { DTYPE, type TensorType } from '../../engine/compile/trace.ts';
import * as tf from '../../engine/tf.ts';
import type { Params } from '../../engine/formats/weights.ts';
import { normalise, type Normalisation } from './images.ts';
import type { EngineRecipe } from './recipes.ts';
import { graphSignature } from './signature.ts';
import type { Inputs } from './train-step.ts';

export interface TeacherOptions {
  readonly config: ViTConfig;
  /** Copied: they stay the caller's. */
  readonly params: Params;
  readonly normalisation: Normalisation;
  /** Rate of drop path, where a pass is given uniforms for it. */
  readonly dropPath: number;
  readonly engine: EngineRecipe;
  /** All that will be asked of it. */
  readonly targets: readonly BlockTarget[];
}

/** What a student is to match, of one block of the teacher. */
export interface BlockTarget {
  readonly target: Target;
  /** Counted from 1. */
  readonly block: number;
}

interface TeacherInputs {
  /** Pixels, `[B, H, W, C]`. */
  readonly images: tf.Tensor;
  /** Patches that the teacher sees, `[B, K]` int32; default all. */
  readonly visible?: tf.Tensor | undefined;
  /** Uniforms of its drop path, `[depth, 2, B]`; default none is dropped. */
  readonly dropPath?: tf.Tensor | undefined;
}

/** One batch in the teacher. */
interface TeacherPass {
  /**
   * What a student is to match, by the names of the loss's terms; the caller disposes of it.
   * @param visible patches that a masked student sees of those that the teacher saw, `[B, K]` int32
   */
  targets(target: BlockTarget, visible?: tf.Tensor): Record<string, tf.Tensor>;
  /** Frees what it has computed so far. */
  dispose(): void;
}

export interface Teacher {
  /** Begins a batch; its inputs stay the caller's, for as long as the pass is used. */
  pass(inputs: TeacherInputs): TeacherPass;
  dispose(): void;
}

export function createTeacher({ params, ...options }: TeacherOptions): Teacher {
  const trunkOptions = { ...options, weights: freezeEncoder(params, options) };
  const programs = new Map<string, Program>();
  const programOf = (key: string, compile: () => Program): Program => {
    const program = programs.get(key) ?? compile();
    programs.set(key, program);
    return program;
  };
  const taps = mergeTaps(
    options.targets.map(({ target, block }) => tapOf(target, block)),
    options.config.depth,
  );
  return {
    pass: inputs => {
      const shape = shapeOf(options.config, inputs);
      const trunk = programOf(JSON.stringify([shape, inputs.dropPath !== undefined]), () => compileTrunk(trunkOptions, inputs, shape));
      const run = new TrunkRun(trunk, inputs, taps, trunkOptions);
      return {
        targets: (wanted, visible) => {
          const { features } = tapOf(wanted.target, wanted.block);
          const given: Record<string, tf.Tensor> = Object.fromEntries(features.map(name => [name, run.feature(wanted.block, name)]));
          if (visible) given[VISIBLE] = visible;
          const head = programOf(JSON.stringify([wanted, shape, visible?.shape]), () => compileHead(trunkOptions, wanted, given, shape));
          return head.compute('head', given, trunkOptions.weights.outer);
        },
        dispose: () => {
          run.dispose();
        },
      };
    },
    dispose: () => {
      for (const program of programs.values()) program.dispose();
      for (const weights of [trunkOptions.weights.outer, ...trunkOptions.weights.blocks]) disposeFrozen(weights);
    },
  };
}

const IMAGES = 'images',
  VISIBLE = 'ids_keep',
  DROP_PATH = 'teacher_drop_path';

function shapeOf(config: ViTConfig, { images, visible }: TeacherInputs): TokenShape {
  return { batch: images.shape[0], tokens: 1 + (visible?.shape[1] ?? patchCount(config)) };
}

type TrunkOptions = Omit<TeacherOptions, 'params'> & { readonly weights: EncoderWeights };

/** A block in two functions: relations need the first alone. Blocks that differ in their weights alone share them. */
const project = ({ config }: TrunkOptions, block: number): string => `project ${headsOf(config, block)}`;
const complete = (options: TrunkOptions, block: number, dropsPath: boolean): string => (dropsPath ? `complete block ${block}` : `complete ${headsOf(options.config, block)}`);

const drops = ({ config, dropPath }: TrunkOptions, block: number, uniforms: tf.Tensor | undefined): boolean => uniforms !== undefined && constantRates(dropPath, config.depth)[block - 1] !== 0;

/** Under which its functions know the weights of a block. */
const BLOCK = 'block';

/** The encoder's weights, as its functions take them. */
interface EncoderWeights {
  readonly outer: Frozen;
  /** Of the blocks, in their order. */
  readonly blocks: readonly Frozen[];
}

function freezeEncoder(params: Params, { config, engine }: Pick<TeacherOptions, 'config' | 'engine'>): EncoderWeights {
  const outerParts = ['cls_token', 'pos_embed', 'patch_embed.', 'norm.'];
  const used = Object.entries(params).filter(([name]) => [...outerParts, 'blocks.'].some(prefix => name.startsWith(prefix)));
  const all = freeze(Object.fromEntries(used), engine.mode);
  const named = (prefix: string, by: string): Frozen =>
    Object.fromEntries(Object.entries(all).flatMap(([name, held]) => (name.startsWith(prefix) ? [[by + name.slice(prefix.length), held] as const] : [])));
  return {
    outer: Object.assign({}, ...outerParts.map(prefix => named(prefix, prefix))) as Frozen,
    blocks: Array.from({ length: config.depth }, (_, i) => named(`blocks.${i}.`, `${BLOCK}.`)),
  };
}

const fn =
  (outputs: (inputs: Inputs) => Params): StepFunction =>
  (_, inputs) => ({ state: {}, outputs: outputs(inputs) });

function compileTrunk(options: TrunkOptions, inputs: TeacherInputs, shape: TokenShape): Program {
  const { config, weights, normalisation, dropPath, engine } = options;
  const { images, visible, dropPath: uniforms } = inputs;
  const rates = constantRates(dropPath, config.depth);
  const embed = fn(({ images: pixels, ids_keep, ...own }) => ({ x: embedTokens(own, normalise(pixels!, normalisation), config, ids_keep as tf.Tensor2D | undefined).x }));
  const functions: Record<string, Compilable> = { embed: { fn: embed, inputs: typesOf({ images, ...(visible && { ids_keep: visible }) }), frozen: frozenTypes(weights.outer) } };
  for (let block = 1; block <= config.depth; block++) {
    const { x, ...qkv } = typesInBlock(config, shape, block),
      frozen = frozenTypes(weights.blocks[block - 1]!),
      dropsPath = drops(options, block, uniforms);
    functions[project(options, block)] ??= {
      fn: fn(({ x: from, ...params }) => ({ ...projectQkv(params, BLOCK, from as tf.Tensor2D, shape, headsOf(config, block)) })),
      inputs: { x },
      frozen,
    };
    functions[complete(options, block, dropsPath)] ??= {
      fn: fn(({ x: from, q, k, v, teacher_drop_path, ...params }) => ({
        ...completeBlock(params, BLOCK, from as tf.Tensor2D, { q, k, v } as unknown as Qkv, teacher_drop_path && blockScale({ rates, uniforms: teacher_drop_path }, block, shape.batch, shape.tokens)),
      })),
      inputs: { x, ...qkv, ...(dropsPath && typesOf({ [DROP_PATH]: uniforms! })) },
      frozen,
    };
  }
  const signature = graphSignature('teacher', { config, mean: normalisation.mean, std: normalisation.std, dropPath: uniforms ? dropPath : 0, engine });
  return compileProgram(functions, { state: {}, ...engine, signature });
}

/** Types of what a block's functions take beside weights. */
function typesInBlock(config: ViTConfig, { batch, tokens }: TokenShape, block: number): Record<'x' | keyof Qkv, TensorType> {
  const heads = headsOf(config, block),
    dim = config.embed_dim;
  const perHead = { dtype: DTYPE.float32, shape: [batch, heads, tokens, dim / heads] };
  return { x: { dtype: DTYPE.float32, shape: [batch * tokens, dim] }, q: perHead, k: perHead, v: perHead };
}

/** From features of a block to what the student matches. */
function compileHead({ config, weights, engine }: TrunkOptions, { target, block }: BlockTarget, inputs: Inputs, shape: TokenShape): Program {
  const { features } = tapOf(target, block);
  const head = fn(({ ids_keep, ...given }) => {
    const tapped = Object.fromEntries(features.map(name => [name, given[name]!.rank === 2 ? toTokens(given[name] as tf.Tensor2D, shape) : given[name]!]));
    return teacherTargets(target, { params: given, features: new Map([[block, tapped]]), block }, ids_keep as tf.Tensor2D | undefined);
  });
  return compileProgram(
    { head: { fn: head, inputs: typesOf(inputs), frozen: frozenTypes(weights.outer) } },
    { state: {}, ...engine, signature: graphSignature('teacher-head', { target, shape, heads: headsOf(config, block), engine }) },
  );
}

type FeaturesByBlock = ReadonlyMap<number, ReadonlySet<Feature>>;

/** Runs the functions of a trunk in their order, as far as is asked, and keeps what is wanted. */
class TrunkRun {
  readonly #program: Program;
  readonly #inputs: TeacherInputs;
  readonly #wanted: FeaturesByBlock;
  readonly #options: TrunkOptions;
  readonly #kept = new Map<string, tf.Tensor>();
  /** What the next function needs: tokens and, within a block, its queries, keys and values. */
  #x: tf.Tensor | undefined;
  #qkv: Readonly<Record<string, tf.Tensor>> | undefined;
  /** Blocks completed. */
  #done = 0;

  constructor(program: Program, inputs: TeacherInputs, wanted: FeaturesByBlock, options: TrunkOptions) {
    this.#program = program;
    this.#inputs = inputs;
    this.#wanted = wanted;
    this.#options = options;
  }

  feature(block: number, name: Feature): tf.Tensor {
    const key = `${block}/${name}`;
    while (!this.#kept.has(key) && this.#done < block) this.#advance();
    const tensor = this.#kept.get(key);
    if (!tensor) throw new Error(`Expected a feature of the teacher's targets, got ${name} of block ${block}.`);
    return tensor;
  }

  dispose(): void {
    tf.dispose([...new Set([...this.#kept.values(), ...Object.values(this.#qkv ?? {}), ...(this.#x ? [this.#x] : [])])]);
    this.#kept.clear();
  }

  #advance(): void {
    const block = this.#done + 1;
    if (this.#x === undefined) this.#embed();
    else if (this.#qkv === undefined) this.#qkv = this.#keep(block, this.#program.compute(project(this.#options, block), { x: this.#x }, this.#options.weights.blocks[block - 1]));
    else this.#complete(block, this.#x, this.#qkv);
  }

  #embed(): void {
    const { images, visible } = this.#inputs;
    this.#x = this.#program.compute('embed', { [IMAGES]: images, ...(visible && { [VISIBLE]: visible }) }, this.#options.weights.outer)['x'];
  }

  #complete(block: number, x: tf.Tensor, qkv: Readonly<Record<string, tf.Tensor>>): void {
    const { dropPath } = this.#inputs;
    const dropsPath = drops(this.#options, block, dropPath);
    const inputs = { x, ...qkv, ...(dropsPath && { [DROP_PATH]: dropPath! }) };
    const tensors = this.#keep(block, this.#program.compute(complete(this.#options, block, dropsPath), inputs, this.#options.weights.blocks[block - 1]));
    this.#release([
      x,
      ...Object.values(qkv),
      ...Object.entries(tensors)
        .filter(([name]) => name !== 'block')
        .map(([, tensor]) => tensor),
    ]);
    this.#x = tensors['block' satisfies keyof BlockTensors];
    this.#qkv = undefined;
    this.#done = block;
  }

  #keep(block: number, tensors: Record<string, tf.Tensor>): Record<string, tf.Tensor> {
    for (const name of this.#wanted.get(block) ?? []) if (tensors[name]) this.#kept.set(`${block}/${name}`, tensors[name]);
    return tensors;
  }

  /** Disposes of what nobody wants. */
  #release(tensors: readonly tf.Tensor[]): void {
    const kept = new Set(this.#kept.values());
    tf.dispose(tensors.filter(tensor => !kept.has(tensor)));
  }
}
