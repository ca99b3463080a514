/** The C library of this system. */
import { SetupError } from './errors.ts';

/** `2.36`; undefined where the C library is another one (musl), and on other systems than Linux. */
export function glibcVersion(): string | undefined {
  Object.assign(process.report, { excludeNetwork: true }); // else names of network addresses are looked up, which can take seconds
  return (process.report.getReport() as { header: { glibcVersionRuntime?: string } }).header.glibcVersionRuntime;
}

/** The official wheels are built for glibc 2.27 (`manylinux_2_27`). */
const LEAST_MINOR = 27;

/**
 * @param version as `glibcVersion` says
 * @throws SetupError `OLD_GLIBC` where the library of the wheels cannot be loaded
 */
export function requireGlibc(version: string | undefined): void {
  const [major = 0, minor = 0] = (version ?? '0.0').split('.').map(Number);
  if (major > 2 || (major === 2 && minor >= LEAST_MINOR)) return;
  throw new SetupError(
    'OLD_GLIBC',
    `Expected a Linux with glibc 2.${LEAST_MINOR} or newer, got ${version === undefined ? 'another C library (musl?)' : `glibc ${version}`}.`,
    'use a newer distribution, or a container of one (Debian, Ubuntu, Fedora)',
  );
}
