/** Processes whose TensorFlow has several logical CPUs: it computes on the last of them, and all else stands for a place that is wrong. */
import { contextConfig } from '../../src/engine/compile/protobuf.ts';

/** Variables that a process needs from its start. */
export const logicalCpus = (count: number): Record<string, string> => ({ TINYMIM_ENGINE_CONFIG: Buffer.from(contextConfig({ devices: { CPU: count } })).toString('hex') });

/** TensorFlow's full name of one. */
export const logicalCpu = (index: number): string => `/job:localhost/replica:0/task:0/device:CPU:${index}`;
