/** From a trace to the nodes of a TensorFlow function. What stays between calls is in variables, whose handles are arguments. */
import type { FunctionGraph } from './functions.ts';
import type { GraphNode } from './protobuf.ts';
import { DTYPE, typeAttribute, typeOf, type Attribute, type Attributes, type Operation, type TensorType, type Trace, type Update, type ValueId } from './trace.ts';

/** A function, and by which names of the trace its arguments and results go. */
export interface EmittedFunction extends FunctionGraph {
  /** What it reads: tensors first, then handles of variables. */
  readonly inputs: readonly string[];
  readonly variables: readonly string[];
  readonly outputs: readonly string[];
}

export function emitFunction(trace: Trace): EmittedFunction {
  const edges = new Map<ValueId, string>();
  const edge = (value: ValueId): string => expectEdge(edges, value);
  const used = usedValues(trace);
  const inputs = Object.entries(trace.inputs).flatMap(([name, value]) => (used.has(value) ? [[name, emitInput(trace, name, value, edges)] as const] : []));
  const variables = variablesOf(trace, used);
  const handles = variables.map(name => emitHandle(name, typeOf(trace, trace.variables[name]!)));
  const reads = emitReads(trace, used, edges);
  const places = placesOf(trace.operations);
  const body = trace.operations.map((operation, i) => emitOperation(place(`${operation.op}_${places[i]!}`), operation, edges));

  const assigns = Object.entries(trace.assigned).map(([variable, value]) =>
    node(
      place(`assign/${variable}`),
      'AssignVariableOp',
      // The value before the step has been read when it is replaced.
      [handleOf(variable), edge(value), ...(reads.has(variable) ? [control(reads.get(variable)!.name)] : [])],
      { dtype: typeAttribute(typeOf(trace, value).dtype) },
    ),
  );
  const updates = trace.updates.map(update => emitUpdate(trace, update, edge, reads));
  const done = node(
    place('done'),
    'NoOp',
    [...assigns, ...updates.map(nodes => nodes.at(-1)!)].map(change => control(change.name)),
    {},
  );
  const fed = viewsOfInputs(trace);
  const outputs = Object.entries(trace.outputs).map(([name, value]) =>
    node(place(`output/${name}`), fed.has(value) ? 'DeepCopy' : 'Identity', [edge(value), control(done.name)], { T: typeAttribute(typeOf(trace, value).dtype) }),
  );
  return {
    nodes: [...inputs.map(([, input]) => input), ...handles, ...reads.values(), ...body, ...assigns, ...updates.flat(), done, ...outputs],
    feeds: [...inputs.map(([, input]) => input), ...handles].map(({ name }) => name),
    fetches: outputs.map(({ name }) => name),
    inputs: inputs.map(([name]) => name),
    variables,
    outputs: Object.keys(trace.outputs),
  };
}

/** Numbers of operations, as they would be without those that prepare others: names stay what they are without a pass that adds some. */
function placesOf(operations: readonly Operation[]): string[] {
  let next = 0,
    prepared = 0;
  return operations.map(({ prepares }) => {
    if (prepares) return `${next}_${prepared++}`;
    prepared = 0;
    return String(next++);
  });
}

/** Grappler sorts by name: other names can give other last digits. */
const place = (kind: string): string => `step/${kind}`;
const handleOf = (variable: string): string => `variable/${variable}`;

/** The handle of a variable, with the type of what it holds. */
function emitHandle(name: string, { dtype, shape }: TensorType): GraphNode {
  return node(handleOf(name), 'Placeholder', [], {
    dtype: typeAttribute(DTYPE.resource),
    shape: shapeAttribute([]),
    _handle_dtypes: { kind: 'list', value: [typeAttribute(dtype)] },
    _handle_shapes: { kind: 'list', value: [shapeAttribute(shape)] },
  });
}

function usedValues(trace: Trace): ReadonlySet<ValueId> {
  return new Set([
    ...trace.operations.flatMap(({ inputs }) => inputs),
    ...Object.values(trace.assigned),
    ...Object.values(trace.outputs),
    ...trace.updates.flatMap(({ inputs, from }) => [...inputs, ...(from === undefined ? [] : [from])]),
  ]);
}

/** Those that are read or changed. */
function variablesOf({ variables, assigned, updates }: Trace, used: ReadonlySet<ValueId>): string[] {
  const changed = new Set([...Object.keys(assigned), ...updates.flatMap(update => update.variables)]);
  return Object.keys(variables).filter(name => changed.has(name) || used.has(variables[name]!));
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
function emitUpdate(trace: Trace, { op, variables, inputs, attributes, from }: Update, edge: (value: ValueId) => string, reads: ReadonlyMap<string, GraphNode>): readonly [...GraphNode[], GraphNode] {
  const [first] = variables;
  const readBefore = variables.flatMap(variable => (reads.has(variable) ? [control(reads.get(variable)!.name)] : []));
  const set = from === undefined ? [] : [node(place(`assign/${first!}`), 'AssignVariableOp', [handleOf(first!), edge(from), ...readBefore], { dtype: typeAttribute(typeOf(trace, from).dtype) })];
  const after = set.length === 0 ? readBefore : set.map(({ name }) => control(name));
  return [...set, node(place(`update/${first!}`), op, [...variables.map(handleOf), ...inputs.map(edge), ...after], attributes)];
}

function emitInput(trace: Trace, name: string, value: ValueId, edges: Map<ValueId, string>): GraphNode {
  // Without its shape: knowing it, Grappler reorders products of small and large tensors, which changes last digits.
  const placeholder = node(place(`input/${name}`), 'Placeholder', [], { dtype: typeAttribute(typeOf(trace, value).dtype) });
  edges.set(value, placeholder.name);
  return placeholder;
}

/** Reads of the variables whose values the function uses. */
function emitReads(trace: Trace, used: ReadonlySet<ValueId>, edges: Map<ValueId, string>): Map<string, GraphNode> {
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
const shapeAttribute = (value: readonly number[]): Attribute => ({ kind: 'shape', value });
