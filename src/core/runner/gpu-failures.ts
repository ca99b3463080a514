/** Failures of a GPU that a smaller batch does not mend, by what TensorFlow 2 and CUDA say: each with what a person can do. */

interface GpuFailure {
  readonly code: 'GPU_CONTEXT' | 'GPU_BLAS';
  readonly remedy: string;
}

interface Known extends GpuFailure {
  readonly words: readonly RegExp[];
}

/** Texts of both are in libtensorflow 2.21, or of older ones in issues of TensorFlow. The first that fits counts. */
const FAILURES: readonly Known[] = [
  {
    code: 'GPU_BLAS',
    words: [/\bfailed to create cublas(?:Lt)? handle\b/i, /\bCUBLAS_STATUS_NOT_INITIALIZED\b/, /\b(?:without|no|initialize|get)\s?BLAS support\b/i, /\bcould not create cudnn handle\b/i],
    remedy:
      'cuBLAS did not start, most often since other processes or workers left it no memory on the card, or since the driver is older than the CUDA libraries. See both with nvidia-smi, and let fewer workers share the card (--devices).',
  },
  {
    code: 'GPU_CONTEXT',
    words: [
      /\bfailed call to cuInit\b/i,
      /\bcu(?:DevicePrimaryCtxRetain|CtxCreate)\b/,
      /\b(?:cudaSetDevice\(\)|CUDA runtime implicit initialization) on GPU:\d+ failed\b/,
      /\bCUDA_ERROR_(?:NO_DEVICE|INVALID_DEVICE|DEVICE_UNAVAILABLE|DEVICE_NOT_LICENSED|NOT_INITIALIZED|SYSTEM_NOT_READY|SYSTEM_DRIVER_MISMATCH|COMPAT_NOT_SUPPORTED_ON_DEVICE|STUB_LIBRARY)\b/,
      /\bCUDA-capable device\S* (?:is\/are|are|is) busy or unavailable\b/i,
      /\bno CUDA-capable device is detected\b/i,
      /\bCUDA driver version is insufficient\b/i,
      /\bFailed to get device attribute\b/i,
    ],
    remedy:
      'The GPU gave no context: its driver does not work, or another process holds the card. See both with nvidia-smi (driver, processes, compute mode), end the other process, or name another GPU (--devices).',
  },
];

/** What a text says of a GPU; undefined where it says nothing of the kind, as where memory ran out for a batch. */
export function gpuFailure(text: string): GpuFailure | undefined {
  return FAILURES.find(({ words }) => words.some(word => word.test(text)));
}
