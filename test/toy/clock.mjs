/**
 * For tests of clocks and hosts: loaded first in every process of a sweep (`NODE_OPTIONS=--import=...`), it puts the process
 * on a host called TEST_HOST, whose clock is wrong by as many milliseconds as the file TEST_CLOCK says at that moment. The
 * monotonic clock and the times of files are not touched.
 */
import { readFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import process from 'node:process';

const { TEST_CLOCK: file, TEST_HOST: host } = process.env;
const RealDate = globalThis.Date;
const now = () => RealDate.now() + Number(readFileSync(file, 'utf8'));

globalThis.Date = class Date extends RealDate {
  constructor(...args) {
    super(...(args.length === 0 ? [now()] : args));
  }

  static now() {
    return now();
  }
};

os.hostname = () => host;
syncBuiltinESMExports();
