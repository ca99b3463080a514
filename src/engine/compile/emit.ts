/** From traces to the nodes of one TensorFlow graph, in which variables of the session hold what stays between steps. */
import type { GraphNode } from './protobuf.ts';
import { typeAttribute, typeOf, type Attribute, type Attributes, type Operation, type TensorType, type Trace, type Update, type ValueId } from './trace.ts';

/** How one function of the graph is run: names of the nodes to feed and to fetch, by the names of the trace. */
interface Signature {
  readonly feeds: Readonly<Record<string, string>>;
  readonly fetches: Readonly<Record<string, string>>;
}

export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly functions: Readonly<Record<string, Signature>>;
  /** Sets a variable: feed the value, fetch the other to make it happen. */
  readonly write: Readonly<Record<string, { readonly feed: string; readonly fetch: string }>>;
  /** Fetches a variable. */
  readonly read: Readonly<Record<string, string>>;
  /** Fetched, frees all variables; there is none without variables. */
  readonly free: string | undefined;
}

const handleOf = (variable: string): string => `variable/${variable}`;

/**
 * @param variables types of all variables, by the names that the traces call them
 * @param functions the traces; each becomes a function over the same variables
 */
export function emitGraph(variables: Readonly<Record<string, TensorType>>, functions: Readonly<Record<string, Trace>>): Graph {
  const holders = Object.entries(variables).map(([name, type]) => emitVariable(name, type));
  const bodies = Object.entries(functions).map(([name, trace]) => [name, emitFunction(name, trace)] as const);
  const freed = emitFreed(Object.keys(variables));
  return {
    nodes: [...holders.flatMap(({ nodes }) => nodes), ...bodies.flatMap(([, { nodes }]) => nodes), ...freed],
    functions: Object.fromEntries(bodies.map(([name, { signature }]) => [name, signature])),
    write: Object.fromEntries(holders.map(({ name, write }) => [name, write])),
    read: Object.fromEntries(holders.map(({ name, read }) => [name, read])),
    free: freed.at(-1)?.name,
  };
}

function emitFreed(variables: readonly string[]): readonly GraphNode[] {
  const [first] = variables;
  if (first === undefined) return [];
  const destroyed = variables.map(name => node(`destroy/${name}`, 'DestroyResourceOp', [handleOf(name)], { ignore_lookup_error: { kind: 'bool', value: true } }));
  return [...destroyed, node('freed', 'VarIsInitializedOp', [handleOf(first), ...destroyed.map(({ name }) => control(name))], {})];
}

function emitVariable(name: string, { dtype, shape }: TensorType): Pick<Graph, 'nodes'> & { name: string; write: Graph['write'][string]; read: string } {
  const handle = handleOf(name),
    feed = `new/${name}`,
    copy = `copy/${name}`,
    assign = `assign/${name}`,
    fetch = `assigned/${name}`,
    read = `value/${name}`;
  const type = { dtype: typeAttribute(dtype) };
  const nodes = [
    node(handle, 'VarHandleOp', [], { ...type, shape: shapeAttribute(shape), shared_name: string(name), container: string('') }),
    node(feed, 'Placeholder', [], { ...type, shape: shapeAttribute(shape) }),
    // A fed tensor may be memory of JavaScript, which must not outlive the call.
    node(copy, 'DeepCopy', [feed], { T: typeAttribute(dtype) }),
    node(assign, 'AssignVariableOp', [handle, copy], type),
    node(read, 'ReadVariableOp', [handle], type),
    // The binding fetches tensors only: an assignment happens because something fetched depends on it.
    node(fetch, 'VarIsInitializedOp', [handle, control(assign)], {}),
  ];
  return { name, nodes, write: { feed, fetch }, read };
}

function emitFunction(name: string, trace: Trace): { nodes: readonly GraphNode[]; signature: Signature } {
  const place = (kind: string): string => `${name}/${kind}`;
  const edges = new Map<ValueId, string>();
  const feeds = emitInputs(trace, place, edges);
  const reads = emitReads(trace, place, edges);
  const body = trace.operations.map((operation, i) => emitOperation(place(`${operation.op}_${i}`), operation, edges));
  const edge = (value: ValueId): string => expectEdge(edges, value);

  const assigns = Object.entries(trace.assigned).map(([variable, value]) =>
    node(
      place(`assign/${variable}`),
      'AssignVariableOp',
      // The value before the step has been read when it is replaced.
      [handleOf(variable), edge(value), ...(reads.has(variable) ? [control(reads.get(variable)!.name)] : [])],
      { dtype: typeAttribute(typeOf(trace, value).dtype) },
    ),
  );
  const updates = trace.updates.map(update => emitUpdate(trace, update, place, edge, reads));
  const done = node(
    place('done'),
    'NoOp',
    [...assigns, ...updates.map(nodes => nodes.at(-1)!)].map(change => control(change.name)),
    {},
  );
  const fed = viewsOfInputs(trace);
  const outputs = Object.entries(trace.outputs).map(
    ([output, value]) =>
      [output, node(place(`output/${output}`), fed.has(value) ? 'DeepCopy' : 'Identity', [edge(value), control(done.name)], { T: typeAttribute(typeOf(trace, value).dtype) })] as const,
  );
  return {
    nodes: [...feeds.map(([, feed]) => feed), ...reads.values(), ...body, ...assigns, ...updates.flat(), done, ...outputs.map(([, output]) => output)],
    signature: { feeds: names(feeds), fetches: names(outputs) },
  };
}

const VIEWS: ReadonlySet<string> = new Set(['ExpandDims', 'Reshape']);

/** Values in the memory of an input, which may be JavaScript's: given back as they are they would outlive the call. */
function viewsOfInputs({ inputs, operations }: Trace): ReadonlySet<ValueId> {
  const fed = new Set(Object.values(inputs));
  for (const {
    op,
    inputs: [first],
    outputs: [output],
  } of operations)
    if (VIEWS.has(op) && fed.has(first!)) fed.add(output!);
  return fed;
}

/** The variables have been read, where the step reads them, before they change: those who have read them keep what they have. */
function emitUpdate(
  trace: Trace,
  { op, variables, inputs, attributes, from }: Update,
  place: (kind: string) => string,
  edge: (value: ValueId) => string,
  reads: ReadonlyMap<string, GraphNode>,
): readonly [...GraphNode[], GraphNode] {
  const [first] = variables;
  const readBefore = variables.flatMap(variable => (reads.has(variable) ? [control(reads.get(variable)!.name)] : []));
  const set = from === undefined ? [] : [node(place(`assign/${first!}`), 'AssignVariableOp', [handleOf(first!), edge(from), ...readBefore], { dtype: typeAttribute(typeOf(trace, from).dtype) })];
  const after = set.length === 0 ? readBefore : set.map(({ name }) => control(name));
  return [...set, node(place(`update/${first!}`), op, [...variables.map(handleOf), ...inputs.map(edge), ...after], attributes)];
}

type Named = readonly (readonly [string, GraphNode])[];

const names = (nodes: Named): Record<string, string> => Object.fromEntries(nodes.map(([name, { name: place }]) => [name, place]));

function emitInputs(trace: Trace, place: (kind: string) => string, edges: Map<ValueId, string>): Named {
  return Object.entries(trace.inputs).map(([name, value]) => {
    const { dtype, shape } = typeOf(trace, value);
    const placeholder = node(place(`input/${name}`), 'Placeholder', [], { dtype: typeAttribute(dtype), shape: shapeAttribute(shape) });
    edges.set(value, placeholder.name);
    return [name, placeholder] as const;
  });
}

/** Reads of the variables that the function uses. */
function emitReads(trace: Trace, place: (kind: string) => string, edges: Map<ValueId, string>): Map<string, GraphNode> {
  const used = new Set([
    ...trace.operations.flatMap(({ inputs }) => inputs),
    ...Object.values(trace.assigned),
    ...Object.values(trace.outputs),
    ...trace.updates.flatMap(({ inputs, from }) => [...inputs, ...(from === undefined ? [] : [from])]),
  ]);
  const reads = new Map<string, GraphNode>();
  for (const [name, value] of Object.entries(trace.variables)) {
    if (!used.has(value)) continue;
    const read = node(place(`read/${name}`), 'ReadVariableOp', [handleOf(name)], { dtype: typeAttribute(typeOf(trace, value).dtype) });
    edges.set(value, read.name);
    reads.set(name, read);
  }
  return reads;
}

function emitOperation(name: string, { op, inputs, outputs, attributes }: Operation, edges: Map<ValueId, string>): GraphNode {
  outputs.forEach((value, i) => edges.set(value, i === 0 ? name : `${name}:${i}`));
  return node(
    name,
    op,
    inputs.map(value => expectEdge(edges, value)),
    attributes,
  );
}

function expectEdge(edges: ReadonlyMap<ValueId, string>, value: ValueId): string {
  const edge = edges.get(value);
  if (edge === undefined) throw new Error(`Expected value ${value} to be computed before it is used: a fault of a pass.`);
  return edge;
}

function node(name: string, op: string, inputs: readonly string[], attributes: Attributes): GraphNode {
  return { name, op, inputs, attributes };
}

const control = (name: string): string => `^${name}`;
const string = (value: string): Attribute => ({ kind: 'string', value });
const shapeAttribute = (value: readonly number[]): Attribute => ({ kind: 'shape', value });
