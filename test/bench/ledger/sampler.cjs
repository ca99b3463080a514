/* global process */
/**
 * Loaded before all else into every process of a sweep (`node --require`): what its main thread executes, looked at a
 * thousand times a second, and which threads run JavaScript. CommonJS, since Node lets only such files into threads in time.
 */
const { readlinkSync, writeFileSync } = require('node:fs');
const { Session } = require('node:inspector');
const { join } = require('node:path');
const { isMainThread } = require('node:worker_threads');

const MICROSECONDS = 1000;
const folder = process.env.LEDGER_FOLDER;

if (folder !== undefined) {
  const thread = Number(readlinkSync('/proc/thread-self').split('/').pop());
  writeFileSync(join(folder, `thread-${thread}.json`), JSON.stringify({ process: process.pid, isMainThread, program: process.argv[1] ?? '' }));
  if (isMainThread) sample();
}

function sample() {
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.setSamplingInterval', { interval: MICROSECONDS });
  // The profiler counts from the start of the machine, the kernels' spans from 1970.
  const offset = Date.now() * 1e3 - Number(process.hrtime.bigint() / 1000n);
  session.post('Profiler.start');
  process.on('exit', () => {
    session.post('Profiler.stop', (error, result) => {
      if (!error) writeFileSync(join(folder, `samples-${process.pid}.json`), JSON.stringify({ offset, ...result.profile }));
    });
  });
}
