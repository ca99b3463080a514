/**
 * Arms from axes: lists of choices, multiplied (`product`), paired (`zip`) and appended (`union`). What comes out is the
 * plain list of arms that a declaration holds, so a table can also be written by hand, or in part.
 *
 *     const { axis, product, union } = axesOf<Factors>();
 *     const relations = axis('relations', [
 *       { name: 'qk-vv', label: 'Q-K, V-V', value: ['qk', 'vv'] },
 *       { name: 'qq-kk-vv', label: 'Q-Q, K-K, V-V', value: ['qq', 'kk', 'vv'] },
 *     ]);
 *     const softmax = axis('softmax', [
 *       { name: '', label: 'without softmax', value: false },
 *       { name: 'softmax', label: 'with softmax', value: true },
 *     ]);
 *     arms: union(product(relations, softmax), [{ name: 'mae', label: 'MAE', factors: { method: 'mae' } }])
 *
 * gives the arms `qk-vv`, `qk-vv-softmax`, `qq-kk-vv`, `qq-kk-vv-softmax` and `mae`.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ArmDeclaration, PublishedValues } from './declaration.ts';
import { UsageError } from './errors.ts';

/** A choice of some factors: an arm, or a part of one. */
export interface ArmPiece<F> {
  /** May be empty where the choice is the unmarked one: empty names and labels are left out when pieces are joined. */
  readonly name: string;
  readonly label: string;
  readonly factors: Partial<F>;
  readonly note?: string;
  /** Of a product of two axes: what its row and its column are called. */
  readonly crossed?: readonly [row: string, column: string];
  /** A value belongs to a whole arm: attach it last, by `withPublished`. */
  readonly published?: never;
  readonly sameAs?: never;
}

/** One value of the factor that an axis runs over. */
export interface AxisPoint<V> {
  readonly name: string;
  readonly label: string;
  readonly value: V;
  readonly note?: string;
}

/** The combinators for a study's factors `F`; all are pure. A list of pieces is an axis, too: for choices of several factors at once. */
export interface Axes<F> {
  /** The choices of one factor. */
  readonly axis: <K extends keyof F>(factor: K, points: readonly AxisPoint<Exclude<F[K], undefined>>[]) => ArmPiece<F>[];
  /**
   * Every combination, the last axis varying fastest. Names are joined by `-`, labels by `, `, factors merged. Two axes are the rows and
   * the columns of a table in the report.
   * @throws UsageError when two pieces give one factor different values, or two combinations get one name
   */
  readonly product: (...axes: readonly (readonly ArmPiece<F>[])[]) => ArmPiece<F>[];
  /**
   * The first of each axis together, then the second of each, and so on; joined as in `product`.
   * @throws UsageError as `product`, and when the axes differ in length
   */
  readonly zip: (...axes: readonly (readonly ArmPiece<F>[])[]) => ArmPiece<F>[];
  /** One list after the other. @throws UsageError when two arms have one name */
  readonly union: (...lists: readonly (readonly ArmDeclaration<F>[])[]) => ArmDeclaration<F>[];
  /** The same arms, each with the value that `of` gives for it, if any. */
  readonly withPublished: (arms: readonly ArmDeclaration<F>[], of: (arm: ArmDeclaration<F>) => PublishedValues | undefined) => ArmDeclaration<F>[];
}

/** Typed once for all axes of a study: a factor that does not exist, or a wrong value of one that does, is marked in the editor. */
export const axesOf = <F extends object>(): Axes<F> => ({ axis, product, zip, union, withPublished });

function axis<F, K extends keyof F>(factor: K, points: readonly AxisPoint<Exclude<F[K], undefined>>[]): ArmPiece<F>[] {
  const pieces = points.map(({ value, ...rest }) => ({ ...rest, factors: { [factor]: value } as unknown as Partial<F> }));
  return named(pieces, `axis '${String(factor)}'`);
}

function product<F>(...axes: readonly (readonly ArmPiece<F>[])[]): ArmPiece<F>[] {
  const none: ArmPiece<F> = { name: '', label: '', factors: {} };
  const combinations = axes.reduce<ArmPiece<F>[]>((all, pieces) => all.flatMap(left => pieces.map(right => joined(left, right, 'product'))), [none]);
  const crossed = crossings(axes);
  const pieces = named(crossed === undefined ? combinations : combinations.map((piece, i) => ({ ...piece, crossed: crossed[i]! })), 'product');
  for (const piece of pieces) MULTIPLIED.add(piece);
  return pieces;
}

/** Pieces of products: what they are multiplied with makes a third axis. */
const MULTIPLIED = new WeakSet<object>();

/** Row and column of each combination, where there are two axes. */
function crossings(axes: readonly (readonly ArmPiece<object>[])[]): [row: string, column: string][] | undefined {
  const [rows, columns, more] = axes;
  if (rows === undefined || columns === undefined || more !== undefined || [...rows, ...columns].some(piece => MULTIPLIED.has(piece))) return undefined;
  return headings(rows).flatMap(row => headings(columns).map((column): [string, string] => [row, column]));
}

/** Labels of an axis as they head rows or columns: the unmarked choice, which has none, by what it is without. */
function headings(axis: readonly Pick<ArmPiece<object>, 'label'>[]): string[] {
  const labels = axis.map(({ label }) => label).filter(label => label !== '');
  return axis.map(({ label }) => (label !== '' ? label : labels.length === 1 ? `without ${labels[0]!}` : 'none of these'));
}

function zip<F>(...axes: readonly (readonly ArmPiece<F>[])[]): ArmPiece<F>[] {
  const [first = [], ...others] = axes;
  const odd = others.find(pieces => pieces.length !== first.length);
  if (odd) throw new UsageError('BAD_AXES', `zip: expected axes of equal length, got ${listed(first)} and ${listed(odd)}`);
  return named(
    first.map((piece, i) => others.reduce<ArmPiece<F>>((left, pieces) => joined(left, pieces[i]!, 'zip'), piece)),
    'zip',
  );
}

function union<F>(...lists: readonly (readonly ArmDeclaration<F>[])[]): ArmDeclaration<F>[] {
  return named(lists.flat(), 'union');
}

function withPublished<F>(arms: readonly ArmDeclaration<F>[], of: (arm: ArmDeclaration<F>) => PublishedValues | undefined): ArmDeclaration<F>[] {
  return arms.map(arm => {
    const published = of(arm);
    return published === undefined ? arm : { ...arm, published };
  });
}

function joined<F>(left: ArmPiece<F>, right: ArmPiece<F>, by: string): ArmPiece<F> {
  for (const factor of Object.keys(right.factors) as (keyof F)[]) {
    const [a, b] = [left.factors[factor], right.factors[factor]];
    if (factor in left.factors && !isDeepStrictEqual(a, b)) {
      throw new UsageError('BAD_AXES', `${by}: expected one value of '${String(factor)}' in an arm, got ${JSON.stringify(a)} from '${left.name}' and ${JSON.stringify(b)} from '${right.name}'`);
    }
  }
  const join = (a: string | undefined, b: string | undefined, between: string): string => [a, b].filter(text => text !== undefined && text !== '').join(between);
  const note = join(left.note, right.note, ' ');
  return {
    name: join(left.name, right.name, '-'),
    label: join(left.label, right.label, ', '),
    factors: { ...left.factors, ...right.factors },
    ...(note !== '' && { note }),
  };
}

/** The arms as they came, once it is certain that no two of them have one name. */
function named<A extends { readonly name: string; readonly label: string }>(arms: A[], by: string): A[] {
  const first = new Map<string, A>();
  for (const arm of arms) {
    const other = first.get(arm.name);
    if (other) throw new UsageError('BAD_AXES', `${by}: expected a name of its own for each arm, got '${arm.name}' for '${other.label}' and for '${arm.label}'`);
    first.set(arm.name, arm);
  }
  return arms;
}

const listed = (pieces: readonly { readonly name: string }[]): string => `${pieces.length} (${pieces.map(p => `'${p.name}'`).join(', ')})`;
