/** The encoder in a file of weights, whoever wrote it: which of its tensors are which of our parameters, and all that does not fit. */
import { toFloat32, type StoredTensor, type TensorSource } from '../../engine/formats/safetensors.ts';
import type { WeightFile } from '../../engine/formats/weight-file.ts';
import type { ViTConfig } from '../nn/config.ts';
import { ModelError } from '../nn/errors.ts';
import { joinRows, readForeignNames, recogniseDialects, type Dialect } from '../nn/foreign-names.ts';
import { encoderSpec } from '../nn/spec.ts';

/** What tensors alone tell of an encoder. They do not tell its heads. */
interface EncoderShape {
  readonly embed_dim: number;
  readonly depth: number;
  /** Hidden width of the MLP. */
  readonly mlp_dim: number;
  readonly patch_size: number;
  readonly in_chans: number;
  /** Places of its position table beside the class token. */
  readonly patches: number;
}

/** What was found in a file, by name. */
interface Findings {
  /** Whose names they are: of libraries that agree in them, several. */
  readonly dialects: readonly Dialect[];
  /** Begins the name of every tensor of the file, as `module.` of a model that was trained on several GPUs. */
  readonly prefix: string;
  /** Ours that another name, or several tensors, stand for. */
  readonly renamed: readonly { readonly ours: string; readonly from: readonly string[] }[];
  readonly missing: readonly string[];
  readonly misshapen: readonly { readonly name: string; readonly expected: string; readonly got: string }[];
  /** Neither of an encoder, nor of what is known to stand on one: the model may compute with it. */
  readonly unexpected: readonly string[];
  /** A decoder, a head: not of the encoder. */
  readonly leftOut: readonly string[];
}

export interface FoundEncoder {
  readonly findings: Findings;
  readonly shape: EncoderShape;
  /** By our names, as float32; read when asked for. Complete only where nothing is missing or misshapen. */
  readonly tensors: ReadonlyMap<string, TensorSource>;
}

/** What wrappers of PyTorch put before all names. */
const PREFIXES = ['module.', '_orig_mod.'];
const ON_AN_ENCODER = /^(?:mask_token$|decoder_|head\.|fc_norm\.)/;

/** @throws ModelError where these are not the tensors of a ViT of MAE's kind */
export function findEncoder({ tensors: all }: Pick<WeightFile, 'tensors'>): FoundEncoder {
  const { prefix, tensors } = withoutPrefix(all);
  const names = [...tensors.keys()];
  const dialects = recogniseDialects(names),
    [dialect] = dialects;
  if (dialect === undefined) throw new ModelError('PARAMETER_MISSING', `Expected the names of MAE, timm or Hugging Face's ViTMAE, got ${names.length} others (${listed(names)}).`);
  const { sources, unknown, incomplete } = readForeignNames(names, dialect);
  const shapes = new Map([...sources].map(([ours, from]) => [ours, joinedShape(from.map(name => tensors.get(name)!))]));
  const shape = shapeOf(shapes);
  const spec = Object.entries(encoderSpec(configOf(shape)));
  const expected = new Set(spec.map(([name]) => name));
  const parts = (ours: string): TensorSource[] => sources.get(ours)!.map(name => tensors.get(name)!);
  const there = spec.filter(([name]) => sources.has(name));
  return {
    shape,
    findings: {
      dialects,
      prefix,
      renamed: there.flatMap(([ours]) => (sources.get(ours)!.join() === ours ? [] : [{ ours, from: sources.get(ours)! }])),
      missing: spec.flatMap(([name]) => (sources.has(name) ? [] : (incomplete.get(name) ?? [name]))),
      misshapen: there.flatMap(([name, { shape: right }]) => misfit(name, right, shapes.get(name), parts(name))),
      leftOut: [...sources.keys(), ...incomplete.keys()].filter(name => !expected.has(name) && ON_AN_ENCODER.test(name)),
      unexpected: [...[...sources.keys(), ...incomplete.keys()].filter(name => !expected.has(name) && !ON_AN_ENCODER.test(name)), ...unknown],
    },
    tensors: new Map(there.map(([name, { shape: right }]) => [name, float32(name, right, parts(name))])),
  };
}

function withoutPrefix(tensors: WeightFile['tensors'], before = ''): { prefix: string; tensors: WeightFile['tensors'] } {
  const prefix = PREFIXES.find(one => [...tensors.keys()].every(name => name.startsWith(one)));
  if (prefix === undefined || tensors.size === 0) return { prefix: before, tensors };
  return withoutPrefix(new Map([...tensors].map(([name, tensor]) => [name.slice(prefix.length), tensor])), before + prefix);
}

/** Of tensors of one shape, one below the other; undefined where their shapes differ. */
function joinedShape(parts: readonly TensorSource[]): readonly number[] | undefined {
  const [first, ...others] = parts.map(({ shape }) => shape);
  if (others.length === 0) return first;
  if (first!.length === 0 || others.some(shape => shape.join() !== first!.join())) return undefined;
  return [parts.length * first![0]!, ...first!.slice(1)];
}

/** From the tensors that tell: without them there is nothing to hold the others against. */
function shapeOf(shapes: ReadonlyMap<string, readonly number[] | undefined>): EncoderShape {
  const sizes = (name: string, dimensions: number): readonly number[] => {
    const shape = shapes.get(name);
    if (shape?.length === dimensions && shape.every(size => size > 0)) return shape;
    throw new ModelError(
      'PARAMETER_SHAPE',
      `Expected a ViT with a tensor "${name}" of ${dimensions} dimensions, got ${shapes.has(name) ? `one of shape [${shape?.join(', ') ?? 'several'}]` : `none among ${shapes.size} others (${listed([...shapes.keys()])})`}.`,
    );
  };
  const [embed_dim, in_chans, patch_size] = sizes('patch_embed.proj.weight', 4);
  const blocks = new Set([...shapes.keys()].flatMap(name => /^blocks\.(\d+)\./.exec(name)?.[1] ?? []));
  return {
    embed_dim: embed_dim!,
    in_chans: in_chans!,
    patch_size: patch_size!,
    depth: blocks.size,
    mlp_dim: sizes('blocks.0.mlp.fc1.weight', 2)[0]!,
    patches: Math.max(1, sizes('pos_embed', 3)[1]! - 1),
  };
}

/** Of an encoder of this shape: on a row of patches and with one head, since tensors tell neither. */
const configOf = ({ embed_dim, depth, mlp_dim, patch_size, in_chans, patches }: EncoderShape): ViTConfig => ({
  embed_dim,
  depth,
  num_heads: 1,
  mlp_ratio: (mlp_dim + 0.5) / embed_dim, // which is rounded down
  patch_size,
  in_chans,
  image_size: [patch_size, patch_size * patches],
});

const FLOATS: ReadonlySet<string> = new Set(['F16', 'BF16', 'F32', 'F64']);

function misfit(name: string, expected: readonly number[], got: readonly number[] | undefined, parts: readonly TensorSource[]): Findings['misshapen'] {
  const whole = parts.find(({ dtype }) => !FLOATS.has(dtype));
  if (whole) return [{ name, expected: 'floating-point numbers', got: whole.dtype }];
  if (got?.join() === expected.join()) return [];
  return [{ name, expected: `[${expected.join(', ')}]`, got: parts.map(({ shape }) => `[${shape.join(', ')}]`).join(' and ') }];
}

/** Of one or several tensors, one below the other. */
function float32(name: string, shape: readonly number[], parts: readonly TensorSource[]): TensorSource {
  const read = (): StoredTensor => {
    const { data } = joinRows(parts.map(part => ({ shape: part.shape, data: toFloat32(part.read(), name) })));
    const wrong = data.findIndex(value => !Number.isFinite(value));
    if (wrong >= 0) throw new ModelError('PARAMETER_VALUE', `Expected "${name}" to be finite in float32, got ${data[wrong]} at element ${wrong}.`);
    return { dtype: 'F32', shape, data };
  };
  return { dtype: 'F32', shape, read };
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 4).map(name => (name.length > 60 ? `${name.slice(0, 57)}...` : name));
  return names.length > shown.length ? `${shown.join(', ')}, ...` : shown.join(', ');
}
