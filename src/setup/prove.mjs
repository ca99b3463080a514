/** Child process that shows whether the engine loads and computes: prints one line of JSON, or fails with the engine's message. */
import util from 'node:util';

// tfjs-node 4.22 calls two functions of Node that warn since Node 22 and are gone since Node 23.
Object.assign(util, { isNullOrUndefined: value => value === null || value === undefined, isArray: Array.isArray });

const tf = await import('@tensorflow/tfjs-node-gpu');
const product = tf.matMul(
  tf.tensor2d([
    [1, 2],
    [3, 4],
  ]),
  tf.tensor2d([
    [5, 6],
    [7, 8],
  ]),
);
const actual = Array.from(product.dataSync()).join();
if (tf.getBackend() !== 'tensorflow') throw new Error(`Expected the backend tensorflow, got ${tf.getBackend()}.`);
if (actual !== '19,22,43,50') throw new Error(`Expected the product 19,22,43,50, got ${actual}.`);
console.log(JSON.stringify({ gpu: tf.backend().isUsingGpuDevice, tensorflow: tf.backend().binding.TF_Version }));
