// Entry of a process that probes one stage; see worker.mjs.
import { importOwn } from '../../start/typescript.mjs';

await importOwn(new URL('probe-worker.ts', import.meta.url));
