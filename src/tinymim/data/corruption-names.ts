/** Names of corruptions and their severities, of ImageNet-C and of ours. Light: planning asks. */

/** Of ImageNet-C, in its order, as its folders are called. Source: hendrycks/robustness, ImageNet-C/test.py. */
export const IMAGENET_C = [
  'gaussian_noise',
  'shot_noise',
  'impulse_noise',
  'defocus_blur',
  'glass_blur',
  'motion_blur',
  'zoom_blur',
  'snow',
  'frost',
  'fog',
  'brightness',
  'contrast',
  'elastic_transform',
  'pixelate',
  'jpeg_compression',
] as const;

/** Of small pictures: three of MNIST-C stand in for those that need photographs (`corrupt/corruptions.ts`). */
export const CORRUPTION_NAMES = [
  'gaussian_noise',
  'shot_noise',
  'impulse_noise',
  'defocus_blur',
  'motion_blur',
  'zoom_blur',
  'fog',
  'brightness',
  'contrast',
  'elastic_transform',
  'pixelate',
  'jpeg_compression',
  'shear',
  'scale',
  'rotate',
] as const;

export type CorruptionName = (typeof CORRUPTION_NAMES)[number];

export const SEVERITIES = [1, 2, 3, 4, 5] as const;
export type Severity = (typeof SEVERITIES)[number];
