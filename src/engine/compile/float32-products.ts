import type * as tf from '../tf.ts';
import { FLOAT32_PRODUCTS } from './bfloat16.ts';
import { composite } from './record.ts';

/**
 * Products whose results are compared with one another, e.g. by a loss: they are of float32 whatever the precision of products.
 * bfloat16 would round what is compared to 8 bits. What gradients compute of them is of the usual precision.
 */
export function float32Products<T extends tf.Tensor>(compute: () => T): T {
  return composite(FLOAT32_PRODUCTS, [], () => [compute()] as const)[0];
}
