/**
 * TF32: products of float32 from operands rounded to 10 bits of mantissa, on NVIDIA GPUs of the Ampere generation or later. CUDA's
 * libraries are told so once, for a whole process. Loads no engine: planning asks it, too.
 */

const VARIABLE = 'TINYMIM_TF32';

/** Variables that a process needs from its start to compute in a precision. */
export const precisionEnvironment = (precision: string): Record<string, string> => (precision === 'tf32' ? { [VARIABLE]: '1' } : {});

/** Whether a process with this environment computes products of float32 in TF32, where its device can. */
export const isTf32Process = (environment: Readonly<Record<string, string | undefined>>): boolean => environment[VARIABLE] === '1';

/** The first compute capability that has it. */
export const LEAST_TF32_CAPABILITY = 8;
