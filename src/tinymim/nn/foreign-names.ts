/**
 * Names of our parameters in other libraries: one table for both directions. Layouts are PyTorch's everywhere (linear `[out, in]`,
 * convolution `[D, C, P, P]`, the class row first in position tables), so nothing is ever transposed: a tensor is the same one there, or
 * its rows are cut into several of equal shape.
 */
import type { HostTensor, Weights } from '../../engine/formats/weights.ts';
import { ModelError } from './errors.ts';

/**
 * `mae`: facebookresearch/mae, whose names are ours. `timm`: its VisionTransformer, which has no decoder. `transformers`: Hugging Face's
 * ViTMAE, and for a head its ViT.
 * @internal
 */
export const DIALECTS = ['mae', 'timm', 'transformers'] as const;
export type Dialect = (typeof DIALECTS)[number];

/** Names of the tensors whose rows, one below the other, are those of ours: mostly one. */
type Spelling = readonly string[];

/** `#`: the number of a block, or of a layer in a sequence, from 0. `.*`: a layer's `.weight` and `.bias`. Of several spellings the first is written and all are read. */
interface Row {
  readonly ours: string;
  readonly transformers: readonly Spelling[];
  /** How forks of MAE and timm write it. */
  readonly forks?: readonly Spelling[];
  /** Where timm, or a model of it that is made to take the weights (`loadingCode`), has another name than MAE. */
  readonly timm?: string;
}

const row = (ours: string, ...transformers: readonly string[]): Row => ({ ours, transformers: transformers.map(name => [name]) });
const inside = (prefix: string, spellings: readonly Spelling[]): Spelling[] => spellings.map(names => names.map(name => `${prefix}.${name}`));
const qkv = (...layers: readonly [query: string, key: string, value: string]): Spelling => layers.map(layer => `${layer}.*`);

/** Transformers 5 has the second names in memory, and goes on writing the first. */
const BLOCK: readonly Row[] = [
  row('norm1.*', 'layernorm_before.*'),
  {
    ours: 'attn.qkv.*',
    transformers: inside('attention', [qkv('attention.query', 'attention.key', 'attention.value'), qkv('q_proj', 'k_proj', 'v_proj')]),
    forks: inside('attn', [qkv('q', 'k', 'v'), qkv('q_proj', 'k_proj', 'v_proj')]),
  },
  row('attn.proj.*', 'attention.output.dense.*', 'attention.o_proj.*'),
  row('norm2.*', 'layernorm_after.*'),
  row('mlp.fc1.*', 'intermediate.dense.*', 'mlp.fc1.*'),
  row('mlp.fc2.*', 'output.dense.*', 'mlp.fc2.*'),
];

const blocks = (ours: string, ...transformers: readonly string[]): Row[] =>
  BLOCK.map(one => ({
    ours: `${ours}.${one.ours}`,
    transformers: transformers.flatMap(prefix => inside(prefix, one.transformers)),
    ...(one.forks && { forks: inside(ours, one.forks) }),
  }));

/** Those of `transformers` begin with `vit.` unless the file holds the encoder alone. */
const ENCODER: readonly Row[] = [
  row('cls_token', 'embeddings.cls_token'),
  row('pos_embed', 'embeddings.position_embeddings'),
  row('patch_embed.proj.*', 'embeddings.patch_embeddings.projection.*'),
  ...blocks('blocks.#', 'encoder.layer.#', 'layers.#'),
  row('norm.*', 'layernorm.*'),
];

const DECODER: readonly Row[] = [
  row('mask_token', 'decoder.mask_token'),
  row('decoder_pos_embed', 'decoder.decoder_pos_embed'),
  row('decoder_embed.*', 'decoder.decoder_embed.*'),
  // The second is what transformers 5 writes: to it every `layers.` is one of the encoder.
  ...blocks('decoder_blocks.#', 'decoder.decoder_layers.#', 'decoder.decoder_encoder.layer.#'),
  row('decoder_norm.*', 'decoder.decoder_norm.*'),
  row('decoder_pred.*', 'decoder.decoder_pred.*'),
];

/** A norm behind the mean of the tokens is unknown to `transformers`, and so is what DeiT and TinyMIM* add to a ViT. */
const CLASSIFIER: readonly Row[] = [row('fc_norm.*'), row('head.*', 'classifier.*'), row('dist_token'), row('head_dist.*'), { ...row('conv1x1.#.*'), timm: 'norm.#.*' }];

/** All spellings by the pattern of our name. */
type Table = ReadonlyMap<string, readonly Spelling[]>;

function table(rows: readonly Row[], spellings: (row: Row) => readonly Spelling[]): Table {
  const fill = (pattern: string, end: string) => pattern.replace(/\.\*$/, `.${end}`);
  return new Map(
    rows.flatMap(one => {
      const ends = one.ours.endsWith('.*') ? ['weight', 'bias'] : [''];
      return ends.map(end => [fill(one.ours, end), spellings(one).map(names => names.map(name => fill(name, end)))] as const);
    }),
  );
}

const ourOwn = ({ ours, forks = [] }: Row): Spelling[] => [[ours], ...forks];
const ofTimm = ({ timm, ...one }: Row): Spelling[] => (timm === undefined ? ourOwn(one) : [[timm]]);

const TABLES: Readonly<Record<Dialect, Table>> = {
  mae: table([...ENCODER, ...DECODER, ...CLASSIFIER], ourOwn),
  timm: table([...ENCODER, ...CLASSIFIER], ofTimm),
  transformers: new Map([...table(ENCODER, ({ transformers }) => [...inside('vit', transformers), ...transformers]), ...table([...DECODER, ...CLASSIFIER], ({ transformers }) => transformers)]),
};

/** Patterns of our names by those of a dialect. */
const OURS: Readonly<Record<Dialect, ReadonlyMap<string, string>>> = {
  mae: reversed(TABLES.mae),
  timm: reversed(TABLES.timm),
  transformers: reversed(TABLES.transformers),
};

function reversed(names: Table): ReadonlyMap<string, string> {
  return new Map([...names].flatMap(([ours, spellings]) => spellings.flat().map(name => [name, ours] as const)));
}

/** The pattern of a name, and the number of its block. */
function patternOf(name: string): { pattern: string; block: string } {
  const [, before = '', block = '', after = ''] = /^([^#]*?)\.(0|[1-9]\d*)\.(.*)$/s.exec(name) ?? [];
  return block === '' ? { pattern: name.includes('#') ? '' : name, block } : { pattern: `${before}.#.${after}`, block };
}

const numbered = (pattern: string, block: string): string => pattern.replace('#', block);

/** Dialects that know the most of these names, at least one: a file of MAE without a decoder is one of timm, too. */
export function recogniseDialects(names: readonly string[]): Dialect[] {
  const known = DIALECTS.map(dialect => names.filter(name => OURS[dialect].has(patternOf(name).pattern)).length);
  const most = Math.max(...known);
  return most === 0 ? [] : DIALECTS.filter((_, i) => known[i] === most);
}

/** What a dialect calls one of our parameters. Several names: its rows, cut into as many equal parts. Undefined: it has no such parameter. @internal */
export function foreignNames(ours: string, dialect: Dialect): readonly string[] | undefined {
  const { pattern, block } = patternOf(ours);
  return TABLES[dialect].get(pattern)?.[0]?.map(name => numbered(name, block));
}

export interface NamesRead {
  /** By our name: the tensors whose rows, one below the other, are ours. */
  readonly sources: ReadonlyMap<string, readonly string[]>;
  /** Names that the dialect does not know, or that say again what others do. */
  readonly unknown: readonly string[];
  /** By our name, where only some of the parts are there: those that are not. */
  readonly incomplete: ReadonlyMap<string, readonly string[]>;
}

/** Which of our parameters these names are. @param names without duplicates, in any order */
export function readForeignNames(names: readonly string[], dialect: Dialect): NamesRead {
  const there = new Set(names),
    used = new Set<string>();
  const sources = new Map<string, readonly string[]>(),
    incomplete = new Map<string, readonly string[]>();
  for (const name of names) {
    const { pattern, block } = patternOf(name);
    const ours = OURS[dialect].get(pattern);
    if (ours === undefined || sources.has(numbered(ours, block)) || incomplete.has(numbered(ours, block))) continue;
    const spellings = TABLES[dialect].get(ours)!.map(spelling => spelling.map(part => numbered(part, block)));
    const lacking = spellings.map(spelling => spelling.filter(part => !there.has(part)));
    const whole = spellings.find((_, i) => lacking[i]!.length === 0);
    const begun = spellings.findIndex((spelling, i) => lacking[i]!.length < spelling.length);
    if (whole) sources.set(numbered(ours, block), whole);
    else incomplete.set(numbered(ours, block), lacking[begun]!);
    for (const part of whole ?? spellings[begun]!) used.add(part);
  }
  return { sources, incomplete, unknown: names.filter(name => !used.has(name)) };
}

/** One tensor of the rows of several; of one, that one itself. @throws ModelError unless all have the same shape, of at least one dimension */
export function joinRows(parts: readonly HostTensor[]): HostTensor {
  const [first, ...others] = parts;
  if (first !== undefined && others.length === 0) return first;
  const [rows, ...rest] = first?.shape ?? [];
  if (first === undefined || rows === undefined || others.some(({ shape }) => shape.join() !== first.shape.join())) {
    throw new ModelError('PARAMETER_SHAPE', `Expected tensors of one shape to join, got ${parts.map(({ shape }) => `[${shape.join(', ')}]`).join(', ') || 'none'}.`);
  }
  const data = new Float32Array(parts.length * first.data.length);
  parts.forEach((part, i) => {
    data.set(part.data, i * first.data.length);
  });
  return { shape: [parts.length * rows, ...rest], data };
}

/** The rows of a tensor in equal parts, which share its memory. @throws ModelError when the rows cannot be divided. @internal */
export function splitRows({ shape, data }: HostTensor, parts: number): HostTensor[] {
  const [rows = 0, ...rest] = shape;
  if (rows === 0 || rows % parts !== 0) throw new ModelError('PARAMETER_SHAPE', `Expected rows that ${parts} divides, got a tensor of shape [${shape.join(', ')}].`);
  const size = data.length / parts;
  return Array.from({ length: parts }, (_, i) => ({ shape: [rows / parts, ...rest], data: data.subarray(i * size, (i + 1) * size) }));
}

/** Weights by our names. The rest of what was read: see `NamesRead`. @throws ModelError when parts do not fit together. @internal */
export function fromDialect(weights: Weights, dialect: Dialect): NamesRead & { readonly weights: Record<string, HostTensor> } {
  const read = readForeignNames(Object.keys(weights), dialect);
  return { ...read, weights: Object.fromEntries([...read.sources].map(([ours, names]) => [ours, joinRows(names.map(name => weights[name]!))])) };
}

/** Weights by the names of a dialect, and those of our names that it has no word for. @throws ModelError when parts cannot be cut */
export function toDialect(weights: Weights, dialect: Dialect): { readonly weights: Record<string, HostTensor>; readonly without: readonly string[] } {
  const named = Object.entries(weights).map(([ours, tensor]) => ({ ours, tensor, names: foreignNames(ours, dialect) }));
  return {
    weights: Object.fromEntries(
      named.flatMap(({ tensor, names }) => (names === undefined ? [] : names.length === 1 ? [[names[0]!, tensor]] : splitRows(tensor, names.length).map((part, i) => [names[i]!, part]))),
    ),
    without: named.flatMap(({ ours, names }) => (names === undefined ? [ours] : [])),
  };
}
