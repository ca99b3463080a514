/**
 * For tests of disks that cannot do what most can: loaded first in every process of a sweep (`NODE_OPTIONS=--import=...`), it takes from
 * `node:fs` what TEST_DISK_LACKS names, separated by commas.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import process from 'node:process';

const cannot = (call, code) => () => {
  throw Object.assign(new Error(`${code}: operation not supported, ${call}`), { code, syscall: call });
};
const isFolder = path => fs.lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

const LACKS = {
  /** As exFAT, SMB and some FUSE. */
  links() {
    for (const call of ['symlink', 'link']) {
      fs[`${call}Sync`] = cannot(call, 'ENOTSUP');
      fs.promises[call] = (...args) => Promise.resolve(args).then(cannot(call, 'ENOTSUP'));
    }
  },
  'names of folders'() {
    const { renameSync } = fs;
    fs.renameSync = (from, to) => (isFolder(from) ? cannot('rename', 'ENOSYS')() : renameSync(from, to));
  },
  /** A second folder takes the place of the first. */
  refusal() {
    const { renameSync } = fs;
    fs.renameSync = (from, to) => {
      if (isFolder(from) && isFolder(to)) fs.rmSync(to, { recursive: true });
      renameSync(from, to);
    };
  },
  replacement() {
    const { renameSync } = fs;
    fs.renameSync = (from, to) => (fs.existsSync(to) && !isFolder(to) ? cannot('rename', 'EPERM')() : renameSync(from, to));
  },
  appending() {
    const { appendFileSync } = fs;
    fs.appendFileSync = (path, text) => (fs.existsSync(path) ? cannot('open', 'EINVAL')() : appendFileSync(path, text));
  },
  times() {
    fs.utimesSync = () => undefined;
  },
};

for (const what of process.env.TEST_DISK_LACKS.split(',')) LACKS[what]();
syncBuiltinESMExports();
