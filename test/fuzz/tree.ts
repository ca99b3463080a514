/** JSON files and declarations as trees, and edits of trees as plain data: one edit spoils the text of the ones and the values of the others. */
import fc from 'fast-check';

interface Leaf {
  readonly type: 'leaf';
  /** As it stands in JSON; need not be JSON. */
  readonly text: string;
  readonly value: unknown;
}
export interface List {
  readonly type: 'list';
  readonly items: Tree[];
}
interface Fields {
  readonly type: 'fields';
  /** Keys need not be unique. */
  readonly entries: { key: string; node: Tree }[];
}
export type Tree = Leaf | List | Fields;

const isPlain = (value: object): boolean => Object.getPrototypeOf(value) === Object.prototype;

export function treeOf(value: unknown): Tree {
  if (Array.isArray(value)) return { type: 'list', items: value.map(treeOf) };
  if (typeof value === 'object' && value !== null && isPlain(value)) return { type: 'fields', entries: Object.entries(value).map(([key, child]) => ({ key, node: treeOf(child) })) };
  return { type: 'leaf', text: JSON.stringify(value) ?? 'undefined', value };
}

export function textOf(tree: Tree): string {
  switch (tree.type) {
    case 'leaf':
      return tree.text;
    case 'list':
      return `[${tree.items.map(textOf).join(',')}]`;
    case 'fields':
      return `{${tree.entries.map(({ key, node }) => `${JSON.stringify(key)}:${textOf(node)}`).join(',')}}`;
  }
}

export function valueOf(tree: Tree): unknown {
  switch (tree.type) {
    case 'leaf':
      return tree.value;
    case 'list':
      return tree.items.map(valueOf);
    // Own properties whatever the key: an assignment to `__proto__` would make none.
    case 'fields':
      return Object.defineProperties({}, Object.fromEntries(tree.entries.map(({ key, node }) => [key, { value: valueOf(node), enumerable: true, writable: true, configurable: true }])));
  }
}

const json = (value: unknown): Leaf => ({ type: 'leaf', text: JSON.stringify(value), value });
const other = (text: string, value: unknown): Leaf => ({ type: 'leaf', text, value });

type Brackets = 'list' | 'object';

function nested(inner: Tree, depth: number, brackets: Brackets): Leaf {
  const [open, close] = brackets === 'list' ? ['[', ']'] : ['{"a":', '}'];
  let value = valueOf(inner);
  for (let i = 0; i < depth; i++) value = brackets === 'list' ? [value] : { a: value };
  return { type: 'leaf', text: open.repeat(depth) + textOf(inner) + close.repeat(depth), value };
}

function cycle(): object {
  const round: Record<string, unknown> = {};
  round['round'] = round;
  return round;
}

class Instance {
  readonly field = 1;
}

/** What no writer of ours writes, but JSON can hold. */
const JSON_ODDITIES: Readonly<Record<string, Leaf>> = {
  null: json(null),
  true: json(true),
  zero: json(0),
  one: json(1),
  'minus one': json(-1),
  fraction: json(0.5),
  'minus zero': other('-0', -0),
  large: json(1e308),
  unsafe: json(2 ** 53),
  infinite: other('1e999', Infinity),
  uint32: json(2 ** 32),
  'empty text': json(''),
  word: json('word'),
  digits: json('12'),
  NUL: json('a\0b'),
  lines: json('a\nb\r\nc\u2028'),
  surrogate: json('\ud800'),
  escape: json('\u001b[2J'),
  parent: json('../../../x'),
  root: json('/'),
  long: json('x'.repeat(100_000)),
  'long path': json('a/'.repeat(5000)),
  'empty list': json([]),
  'list of null': json([null]),
  'empty object': json({}),
  proto: other('{"__proto__":{"polluted":true}}', Object.defineProperty({}, '__proto__', { value: { polluted: true }, enumerable: true })),
  'deep list': nested(json(0), 20_000, 'list'),
  'deep object': nested(json(0), 20_000, 'object'),
};

/** What only a declaration, being a program, can hold. */
const VALUE_ODDITIES: Readonly<Record<string, Leaf>> = {
  NaN: other('NaN', NaN),
  undefined: other('undefined', undefined),
  function: other('f', () => 1),
  symbol: other('s', Symbol('s')),
  bigint: other('1n', 1n),
  date: other('d', new Date(0)),
  map: other('m', new Map([['a', 1]])),
  instance: other('i', new Instance()),
  'no prototype': other('{}', Object.create(null)),
  cycle: other('c', cycle()),
  hole: other('[,]', Array.from({ length: 2 }).slice(0, 0).concat(new Array(2))),
  regexp: other('/a/', /a/u),
};

const ODDITIES: Readonly<Record<string, Leaf>> = { ...JSON_ODDITIES, ...VALUE_ODDITIES };

/** `at` and `and` count the places of a tree, around its end as often as it takes. */
export type Edit =
  | { readonly edit: 'delete' | 'repeat'; readonly at: number }
  | { readonly edit: 'replace'; readonly at: number; readonly by: string }
  | { readonly edit: 'wrap'; readonly at: number; readonly depth: number; readonly brackets: Brackets }
  | { readonly edit: 'rename'; readonly at: number; readonly to: string }
  | { readonly edit: 'swap'; readonly at: number; readonly and: number }
  | { readonly edit: 'add'; readonly at: number; readonly key: string; readonly by: string };

const KEYS = ['__proto__', 'constructor', 'toString', 'length', '', 'a\0b', '../x', 'new', 'x'.repeat(5000), '0'];

/** @param of what the tree becomes: JSON text, or the value of a declaration */
export function edits(of: 'text' | 'value'): fc.Arbitrary<Edit> {
  const at = fc.nat(2 ** 31 - 1);
  const by = fc.constantFrom(...Object.keys(of === 'text' ? JSON_ODDITIES : ODDITIES));
  const key = fc.constantFrom(...KEYS);
  return fc.oneof(
    fc.record({ edit: fc.constantFrom('delete' as const, 'repeat' as const), at }),
    { weight: 3, arbitrary: fc.record({ edit: fc.constant('replace' as const), at, by }) },
    fc.record({ edit: fc.constant('wrap' as const), at, depth: fc.constantFrom(1, 2, 90, 150, 20_000), brackets: fc.constantFrom('list' as const, 'object' as const) }),
    fc.record({ edit: fc.constant('rename' as const), at, to: key }),
    fc.record({ edit: fc.constant('swap' as const), at, and: at }),
    fc.record({ edit: fc.constant('add' as const), at, key, by }),
  );
}

interface Place {
  readonly parent: List | Fields;
  readonly index: number;
}

/** Changes the tree in place. @returns its root, which may be another */
export function edited(root: Tree, edit: Edit): Tree {
  const holder: List = { type: 'list', items: [root] };
  const places = placesIn(holder);
  const place = places[edit.at % places.length]!;
  switch (edit.edit) {
    case 'delete':
      siblings(place).splice(place.index, 1);
      break;
    case 'repeat':
      siblings(place).splice(place.index, 0, siblings(place)[place.index]);
      break;
    case 'replace':
      put(place, ODDITIES[edit.by]!);
      break;
    case 'wrap':
      put(place, nested(nodeAt(place), edit.depth, edit.brackets));
      break;
    case 'rename':
      if (place.parent.type === 'fields') place.parent.entries[place.index]!.key = edit.to;
      break;
    case 'swap':
      swap(place, places[edit.and % places.length]!);
      break;
    case 'add':
      add(nodeAt(place), edit.key, ODDITIES[edit.by]!);
  }
  return holder.items[0] ?? { type: 'leaf', text: '', value: undefined };
}

function placesIn(parent: Tree): Place[] {
  if (parent.type === 'leaf') return [];
  const children = parent.type === 'list' ? parent.items : parent.entries.map(({ node }) => node);
  return children.flatMap((child, index) => [{ parent, index }, ...placesIn(child)]);
}

const siblings = ({ parent }: Place): unknown[] => (parent.type === 'list' ? parent.items : parent.entries);

const nodeAt = ({ parent, index }: Place): Tree => (parent.type === 'list' ? parent.items[index]! : parent.entries[index]!.node);

function put({ parent, index }: Place, node: Tree): void {
  if (parent.type === 'list') parent.items[index] = node;
  else parent.entries[index] = { key: parent.entries[index]!.key, node };
}

/** As leaves: one of the two may stand within the other. */
function swap(a: Place, b: Place): void {
  const [first, second] = [nodeAt(a), nodeAt(b)].map((node): Leaf => other(textOf(node), valueOf(node)));
  put(a, second!);
  put(b, first!);
}

function add(to: Tree, key: string, node: Tree): void {
  if (to.type === 'list') to.items.push(node);
  else if (to.type === 'fields') to.entries.push({ key, node });
}
