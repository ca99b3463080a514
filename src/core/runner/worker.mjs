// Entry of a worker process: Node loads TypeScript only then.
import { importOwn } from '../../start/typescript.mjs';

await importOwn(new URL('worker.ts', import.meta.url));
