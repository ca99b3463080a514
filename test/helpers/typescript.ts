/** For processes that tests start: `node --import <this> script.ts`. */
export const ALLOW_TYPESCRIPT = new URL('../../src/start/allow-typescript.mjs', import.meta.url).href;
