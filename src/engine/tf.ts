/**
 * The tensor API that all model code uses. Everything imports `tf` from here, so the package behind it can be replaced
 * in one place; `backend.ts` loads the engine that executes the ops.
 */
export * from '@tensorflow/tfjs-core';
