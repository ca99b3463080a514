import * as tf from '../tf.ts';
import { withGradient } from './with-gradient.ts';

/** `max(x, 0)`; its derivative at 0 is 0, as PyTorch's. */
export function relu<T extends tf.Tensor>(x: T): T {
  return withGradient<T>([x], save => {
    const value = tf.relu(x);
    save([value]);
    return { value, gradient: (dy, [value]) => [tf.mul(dy, tf.cast(tf.greater(value!, 0), 'float32'))] };
  });
}
