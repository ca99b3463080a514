/** Which kernels the native library has: what can compute where. */
import { nativeBackend } from './native.ts';
import { messageFields } from './protobuf.ts';
import type { Attribute, Attributes } from './trace.ts';

/** A kernel of an op: a device, and for attributes that are types those that it takes. (`core/framework/kernel_def.proto`) */
interface Kernel {
  readonly device: string;
  readonly types: ReadonlyMap<string, readonly number[]>;
}

const DEVICE = 2,
  CONSTRAINT = 3,
  LABEL = 5;

const kernels = new Map<string, readonly Kernel[]>();

function kernelsOf(op: string): readonly Kernel[] {
  const known = kernels.get(op) ?? messageFields(nativeBackend().binding.kernels(op)).flatMap(({ bytes }) => parseKernel(bytes));
  kernels.set(op, known);
  return known;
}

/** Nothing for a kernel with a label: only nodes that name it (`_kernel`) get that one, and ours name none. */
function parseKernel(bytes: Uint8Array): Kernel[] {
  const fields = messageFields(bytes);
  const texts = (wanted: number): string[] => fields.flatMap(({ field, bytes }) => (field === wanted ? [Buffer.from(bytes).toString()] : []));
  if (texts(LABEL).some(label => label !== '')) return [];
  const constraints = fields.flatMap(({ field, bytes }) => (field === CONSTRAINT ? [parseConstraint(bytes)] : []));
  return [{ device: texts(DEVICE).join(''), types: new Map(constraints) }];
}

/** An attribute's name, and an AttrValue that is a list of types, packed: all their numbers are below 128. */
function parseConstraint(bytes: Uint8Array): [name: string, types: number[]] {
  const [name, values] = messageFields(bytes);
  const list = messageFields(values!.bytes)[0];
  return [Buffer.from(name!.bytes).toString(), messageFields(list!.bytes).flatMap(({ bytes }) => [...bytes])];
}

/**
 * Whether an op has a kernel on a device of a type (`CPU`, `GPU`). A kernel for `DEFAULT` is one for every device. An attribute that is
 * not given has its default, which is not known here: any kernel may be meant.
 */
export function hasKernel(op: string, attributes: Attributes, deviceType: string): boolean {
  return kernelsOf(op).some(
    ({ device, types }) => [deviceType, 'DEFAULT'].includes(device) && [...types].every(([name, allowed]) => typesOfAttribute(attributes[name]).every(type => allowed.includes(type))),
  );
}

/** Types that an attribute says; none where it is something else. */
export function typesOfAttribute(attribute: Attribute | undefined): number[] {
  if (attribute?.kind === 'type') return [attribute.value];
  return attribute?.kind === 'list' ? attribute.value.flatMap(typesOfAttribute) : [];
}
