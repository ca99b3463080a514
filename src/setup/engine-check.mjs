// Entry of the process that checks an engine.
import { importOwn } from '../start/typescript.mjs';

await importOwn(new URL('engine-check.ts', import.meta.url));
