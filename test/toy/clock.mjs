/**
 * For tests of clocks and hosts: loaded first in every process of a sweep (`NODE_OPTIONS=--import=...`), it puts the process
 * on a host called TEST_HOST, whose clock is wrong by as many milliseconds as the file TEST_CLOCK says at that moment, and which
 * has the boot id TEST_BOOT, if any. The monotonic clock and the times of files are not touched.
 */
import fs, { readFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import process from 'node:process';

const { TEST_BOOT: boot, TEST_CLOCK: file, TEST_HOST: host } = process.env;
const RealDate = globalThis.Date;
const read = readFileSync;
const now = () => RealDate.now() + Number(read(file, 'utf8'));

globalThis.Date = class Date extends RealDate {
  constructor(...args) {
    super(...(args.length === 0 ? [now()] : args));
  }

  static now() {
    return now();
  }
};

os.hostname = () => host;
if (boot) fs.readFileSync = (path, ...rest) => (path === '/proc/sys/kernel/random/boot_id' ? `${boot}\n` : read(path, ...rest));
syncBuiltinESMExports();
