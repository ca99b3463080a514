// For scripts that are started as they are: node --import ./src/start/allow-typescript.mjs script.ts
import { allowTypeScript, startTypeScript } from './typescript.mjs';

await startTypeScript();
await allowTypeScript();
