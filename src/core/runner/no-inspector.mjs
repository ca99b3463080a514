/**
 * Loaded before anything else by workers (`node --import`): Node answers SIGUSR1 with a debugger that listens on a port, unless somebody
 * else takes the signal. While Node itself starts, before this line, only it could refuse (`--disable-sigusr1`, which Node 20 does not
 * know). A debugger that is wanted is asked for at the start: `node --inspect`.
 */
process.on('SIGUSR1', () => undefined);
