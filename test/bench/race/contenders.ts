/** Who takes part: PyTorch and this package, in several modes. */
export type Precision = 'float32' | 'bfloat16';

export interface Contender {
  readonly name: string;
  readonly side: 'pytorch' | 'ours';
  readonly precision: Precision;
  /** Of this package: how steps run; of PyTorch: `compile` is torch.compile. */
  readonly mode: 'eager' | 'graph' | 'hybrid' | 'compile';
  /** Takes part in the races of distillation alone, as it takes long to start. */
  readonly distillOnly?: true;
}

/** All ratios are against this one. */
export const REFERENCE = 'pytorch';
export const AUTOCAST = 'pytorch bf16';

const contender = (name: string, side: Contender['side'], mode: Contender['mode'], precision: Precision = 'float32'): Contender => ({ name, side, mode, precision });

export const CONTENDERS: readonly Contender[] = [
  contender(REFERENCE, 'pytorch', 'eager'),
  contender(AUTOCAST, 'pytorch', 'eager', 'bfloat16'),
  contender('pytorch compile', 'pytorch', 'compile'),
  { ...contender('pytorch compile bf16', 'pytorch', 'compile', 'bfloat16'), distillOnly: true },
  contender('eager', 'ours', 'eager'),
  contender('graph', 'ours', 'graph'),
  contender('graph bf16', 'ours', 'graph', 'bfloat16'),
  { ...contender('hybrid', 'ours', 'hybrid'), distillOnly: true },
  contender('hybrid bf16', 'ours', 'hybrid', 'bfloat16'),
];
