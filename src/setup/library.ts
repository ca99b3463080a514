/** Which build of libtensorflow a machine gets: data about the official wheels. */
import type { Device } from '../engine/engine.ts';
import { SetupError } from './errors.ts';
import { TENSORFLOW_WHEELS, type PinnedWheel } from './pinned-wheels.ts';

export const TENSORFLOW_VERSION = '2.21.0';

/** One build of libtensorflow inside its official wheel. */
export interface Library {
  /** Names the folder in the cache: one build, one name. */
  readonly key: string;
  readonly device: Device;
  /** Package on the Python index, and the file of it that this platform gets. */
  readonly package: 'tensorflow-cpu' | 'tensorflow';
  readonly version: string;
  readonly wheel: PinnedWheel;
  /** File names of the C++ library (which exports the C API) and the framework library, in `tensorflow/` of the wheel. */
  readonly cc: string;
  readonly framework: string;
  /** Bytes of what is unpacked from it, rounded up. */
  readonly unpackedBytes: number;
  /** How far it has been tried, where nobody has run it on a real machine yet. */
  readonly untested?: string;
}

/** Only these headers are needed to compile the binding; all of them would be 13,000 files. */
export const HEADER_FOLDERS = ['tensorflow/c/', 'tensorflow/core/platform/', 'tsl/platform/', 'xla/tsl/c/'].map(f => `tensorflow/include/${f}`);

/** Bytes of what is unpacked from the CUDA packages, rounded up. */
export const CUDA_UNPACKED_BYTES = 4.5e9;

type Build = Pick<Library, 'package' | 'unpackedBytes' | 'untested' | 'wheel'>;

const UNTESTED = 'nobody has run it on this platform yet';

const BUILDS: Readonly<Record<string, Partial<Record<Device, Build>>>> = {
  'linux-x64': {
    cpu: { package: 'tensorflow-cpu', wheel: TENSORFLOW_WHEELS['linux-x64'].cpu, unpackedBytes: 855e6 },
    gpu: { package: 'tensorflow', wheel: TENSORFLOW_WHEELS['linux-x64'].gpu, unpackedBytes: 1.261e9, untested: 'nothing of this program has ever run on an NVIDIA GPU' },
  },
  'linux-arm64': {
    cpu: { package: 'tensorflow', wheel: TENSORFLOW_WHEELS['linux-arm64'].cpu, unpackedBytes: 885e6, untested: 'it has run on an emulated processor (qemu), never on a real one' },
  },
  // Only looked at: the names in the wheel, and that its libraries find each other by @rpath and export what the binding calls.
  'darwin-arm64': { cpu: { package: 'tensorflow', wheel: TENSORFLOW_WHEELS['darwin-arm64'].cpu, unpackedBytes: 742e6, untested: UNTESTED } },
};

/**
 * The build for a platform (`process.platform`-`process.arch`) and device.
 * @throws SetupError `NO_PLATFORM` where TensorFlow is published for neither
 */
export function libraryFor(platform: string, device: Device): Library {
  const build = BUILDS[platform]?.[device];
  if (!build) {
    const known = Object.entries(BUILDS).flatMap(([name, devices]) => Object.keys(devices).map(d => `${name} (${d})`));
    throw new SetupError(
      'NO_PLATFORM',
      `Expected a platform that TensorFlow ${TENSORFLOW_VERSION} is published for (${known.join(', ')}), got ${platform} (${device}).`,
      platform.startsWith('win32') ? 'use the Windows Subsystem for Linux' : 'use one of these platforms, or a container of one',
    );
  }
  const file = (name: string): string => (platform.startsWith('darwin') ? `${name}.2.dylib` : `${name}.so.2`);
  return {
    key: `${build.package}-${TENSORFLOW_VERSION}-${platform}`,
    device,
    package: build.package,
    version: TENSORFLOW_VERSION,
    wheel: build.wheel,
    cc: file('libtensorflow_cc'),
    framework: file('libtensorflow_framework'),
    unpackedBytes: build.unpackedBytes,
    ...(build.untested !== undefined && { untested: build.untested }),
  };
}

/** `linux-x64`: names a platform as npm does. */
export const thisPlatform = (): string => `${process.platform}-${process.arch}`;

/** Whether TensorFlow is published for a platform and device. */
export const isPublished = (platform: string, device: Device): boolean => BUILDS[platform]?.[device] !== undefined;
