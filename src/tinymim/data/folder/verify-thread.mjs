// Entry of a thread that reads images. A thread does not inherit what lets its parent load TypeScript.
import { importOwn } from '../../../start/typescript.mjs';

await importOwn(new URL('verify-thread.ts', import.meta.url));
