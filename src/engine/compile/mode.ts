/** How steps are computed. Loads no engine: planning asks it, too. */

/**
 * `eager`: op by op through tfjs, the reference. `graph`: as one TensorFlow graph. `hybrid`: as one graph whose element-wise ops
 * XLA fuses. They differ in the last digits.
 */
export type Mode = 'eager' | 'graph' | 'hybrid';

/** Variables that TensorFlow reads once, when it is loaded: a process that compiles in this mode needs them from its start. */
export function modeEnvironment(mode: Mode): Record<string, string> {
  return mode === 'hybrid' ? { TF_XLA_FLAGS: '--tf_xla_auto_jit=2 --tf_xla_cpu_global_jit --tf_xla_ops_to_cluster=FUSIBLE' } : {};
}

/** The mode whose graphs a process with this environment runs, whatever it asks for. */
export function modeOfProcess(environment: Readonly<Record<string, string | undefined>>): Mode {
  return environment['TF_XLA_FLAGS']?.includes('tf_xla_auto_jit') ? 'hybrid' : 'graph';
}
