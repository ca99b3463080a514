#!/usr/bin/env node
/** The command: lets Node load TypeScript (tsx), then runs main.ts. Plain JavaScript, because before set-up there is nothing else. */
try {
  const { register } = await import('tsx/esm/api');
  register();
  const { run } = await import('./main.ts');
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  const missing = error?.code === 'ERR_MODULE_NOT_FOUND' && /^Cannot find package '([^']+)'/.exec(error.message);
  if (!missing) throw error;
  console.error(`error The npm packages are not installed (${missing[1]} is missing): run \`make setup\` here.`);
  process.exitCode = 1;
}
