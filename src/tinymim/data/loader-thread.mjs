// Entry of the loader's thread. A thread does not inherit what lets its parent load TypeScript.
import { importOwn } from '../../start/typescript.mjs';

await importOwn(new URL('loader-thread.ts', import.meta.url));
