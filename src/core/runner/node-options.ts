/** How Node is started for workers and probes. */
const NO_INSPECTOR = new URL('no-inspector.mjs', import.meta.url).href;

/** Newer versions of Node can be told from the first moment that no signal opens a debugger. */
const FROM_BIRTH = ['--disable-sigusr1'].filter(option => process.allowedNodeEnvironmentFlags.has(option));

export const NODE_OPTIONS: readonly string[] = [...FROM_BIRTH, '--import', NO_INSPECTOR];
