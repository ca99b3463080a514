/** The typed record of one run of a step: what the passes of `rewrite.ts` work on and `emit.ts` writes down. */

/** Numbers of TensorFlow's `DataType`. */
export const DTYPE = { float32: 1, int32: 3, uint8: 4, bool: 10, bfloat16: 14, resource: 20 } as const;
export type DataTypeNumber = number;

/** `float32` of 1. */
export const typeName = (dtype: DataTypeNumber): string => Object.entries(DTYPE).find(([, number]) => number === dtype)?.[0] ?? `type ${dtype}`;

export interface TensorType {
  readonly dtype: DataTypeNumber;
  readonly shape: readonly number[];
}

/** A tensor of the trace, by its number. */
export type ValueId = number;

export type Attribute =
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'int' | 'float' | 'type'; readonly value: number }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'shape'; readonly value: readonly number[] }
  | { readonly kind: 'tensor'; readonly value: TensorType & { readonly bytes: Uint8Array } }
  | { readonly kind: 'list'; readonly value: readonly Attribute[] };

export type Attributes = Readonly<Record<string, Attribute>>;

/** One op of TensorFlow. A value uploaded from the host is a `Const`. */
export interface Operation {
  readonly op: string;
  readonly inputs: readonly ValueId[];
  readonly outputs: readonly ValueId[];
  readonly attributes: Attributes;
  /** It stands with those after it, up to one that does not, in the place of one op, and is named after that. */
  readonly prepares?: true;
  /** Of a composite (see `composite` in `record.ts`): the ops that it stands for. TensorFlow does not know it. */
  readonly body?: readonly Operation[];
  /** The composite that it was part of. */
  readonly within?: Operation;
}

/** One of TensorFlow's fused updates of an optimizer: it changes variables in place. */
export interface Update {
  readonly op: string;
  /** Names of the variables that it changes, its first inputs. */
  readonly variables: readonly string[];
  /** Its other inputs. */
  readonly inputs: readonly ValueId[];
  readonly attributes: Attributes;
  /** What the first variable is set to before. */
  readonly from?: ValueId;
}

/** A step as data flow, in the order in which it ran. */
export interface Trace {
  readonly operations: readonly Operation[];
  readonly types: ReadonlyMap<ValueId, TensorType>;
  /** What the step is given anew each time, by name. */
  readonly inputs: Readonly<Record<string, ValueId>>;
  /** What stays between steps, by name: values before the step. */
  readonly variables: Readonly<Record<string, ValueId>>;
  /** Variables that the step changes: their values after it. */
  readonly assigned: Readonly<Record<string, ValueId>>;
  /** Changes of further variables, in place. */
  readonly updates: readonly Update[];
  /** What the step gives back. */
  readonly outputs: Readonly<Record<string, ValueId>>;
}

export const typeAttribute = (dtype: DataTypeNumber): Attribute => ({ kind: 'type', value: dtype });

/** @throws Error for a value that the trace does not know: a fault of a pass */
export function typeOf({ types }: Pick<Trace, 'types'>, value: ValueId): TensorType {
  const type = types.get(value);
  if (type === undefined) throw new Error(`Expected a value of the trace, got ${value}.`);
  return type;
}

export const typesOfValues = (trace: Pick<Trace, 'types'>, values: Readonly<Record<string, ValueId>>): Record<string, TensorType> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, typeOf(trace, value)]));
