/** Which kernels the native library has: what can compute where. */
import { nativeBackend } from './native.ts';
import { messageFields } from './protobuf.ts';
import type { Attributes } from './trace.ts';

/** A kernel of an op: a device, and for attributes that are types those that it takes. (`core/framework/kernel_def.proto`) */
interface Kernel {
  readonly device: string;
  readonly types: ReadonlyMap<string, readonly number[]>;
}

const kernels = new Map<string, readonly Kernel[]>();

function kernelsOf(op: string): readonly Kernel[] {
  const known = kernels.get(op) ?? messageFields(nativeBackend().binding.kernels(op)).map(({ bytes }) => parseKernel(bytes));
  kernels.set(op, known);
  return known;
}

function parseKernel(bytes: Uint8Array): Kernel {
  const fields = messageFields(bytes);
  return {
    device: Buffer.from(fields.find(({ field }) => field === 2)?.bytes ?? []).toString(),
    types: new Map(
      fields
        .filter(({ field }) => field === 3)
        .map(({ bytes }) => {
          const [name, values] = messageFields(bytes);
          const list = messageFields(values!.bytes)[0];
          return [Buffer.from(name!.bytes).toString(), messageFields(list!.bytes).flatMap(({ bytes }) => [...bytes])] as const;
        }),
    ),
  };
}

/** Whether an op has a kernel on a device of a type (`CPU`, `GPU`). A kernel for `DEFAULT` is one for every device. */
export function hasKernel(op: string, attributes: Attributes, deviceType: string): boolean {
  return kernelsOf(op).some(
    ({ device, types }) =>
      [deviceType, 'DEFAULT'].includes(device) &&
      [...types].every(([name, allowed]) => {
        const given = attributes[name];
        return given?.kind !== 'type' || allowed.includes(given.value);
      }),
  );
}
