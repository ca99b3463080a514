/** Which build of libtensorflow a machine gets: data about the official wheels. */
import type { Device } from '../engine/engine.ts';
import { SetupError } from './errors.ts';

export const TENSORFLOW_VERSION = '2.21.0';

/** One build of libtensorflow inside its official wheel. */
export interface Library {
  /** Names the folder in the cache: one build, one name. */
  readonly key: string;
  readonly device: Device;
  /** Package on the Python index, and tags of its wheel that this platform can use. */
  readonly package: 'tensorflow-cpu' | 'tensorflow';
  readonly version: string;
  readonly platformTags: readonly string[];
  /** File names of the C++ library (which exports the C API) and the framework library, in `tensorflow/` of the wheel. */
  readonly cc: string;
  readonly framework: string;
  /** Bytes of the download and of what is unpacked from it, rounded up. */
  readonly wheelBytes: number;
  readonly unpackedBytes: number;
  /** How far it has been tried, where nobody has run it on a real machine yet. */
  readonly untested?: string;
}

/** Only these headers are needed to compile the binding; all of them would be 13,000 files. */
export const HEADER_FOLDERS = ['tensorflow/c/', 'tensorflow/core/platform/', 'tsl/platform/', 'xla/tsl/c/'].map(f => `tensorflow/include/${f}`);

/** Download and unpacked size of the CUDA packages that the GPU build asks for. */
export const CUDA_WHEEL_BYTES = 2.81e9;
export const CUDA_UNPACKED_BYTES = 4.3e9;

interface Wheel extends Pick<Library, 'package' | 'wheelBytes' | 'unpackedBytes' | 'untested'> {
  readonly tags: readonly string[];
}

const UNTESTED = 'nobody has run it on this platform yet';

const linuxTags = (arch: string): string[] =>
  ['manylinux_2_28', 'manylinux_2_27', 'manylinux_2_17', 'manylinux2014', 'manylinux_2_12', 'manylinux2010', 'manylinux_2_5', 'manylinux1'].map(tag => `${tag}_${arch}`);

const WHEELS: Readonly<Record<string, Partial<Record<Device, Wheel>>>> = {
  'linux-x64': {
    cpu: { package: 'tensorflow-cpu', tags: linuxTags('x86_64'), wheelBytes: 274e6, unpackedBytes: 855e6 },
    gpu: { package: 'tensorflow', tags: linuxTags('x86_64'), wheelBytes: 573e6, unpackedBytes: 1.261e9, untested: UNTESTED },
  },
  'linux-arm64': {
    cpu: { package: 'tensorflow', tags: linuxTags('aarch64'), wheelBytes: 282e6, unpackedBytes: 885e6, untested: 'it has run on an emulated processor (qemu), never on a real one' },
  },
  // Only looked at: the names in the wheel, and that its libraries find each other by @rpath and export what the binding calls.
  'darwin-arm64': { cpu: { package: 'tensorflow', tags: ['macosx_12_0_arm64'], wheelBytes: 224e6, unpackedBytes: 742e6, untested: UNTESTED } },
};

/**
 * The build for a platform (`process.platform`-`process.arch`) and device.
 * @throws SetupError `NO_PLATFORM` where TensorFlow is published for neither
 */
export function libraryFor(platform: string, device: Device): Library {
  const wheel = WHEELS[platform]?.[device];
  if (!wheel) {
    const known = Object.entries(WHEELS).flatMap(([name, devices]) => Object.keys(devices).map(d => `${name} (${d})`));
    throw new SetupError(
      'NO_PLATFORM',
      `Expected a platform that TensorFlow ${TENSORFLOW_VERSION} is published for (${known.join(', ')}), got ${platform} (${device}).`,
      platform.startsWith('win32') ? 'use the Windows Subsystem for Linux' : 'use one of these platforms, or a container of one',
    );
  }
  const file = (name: string): string => (platform.startsWith('darwin') ? `${name}.2.dylib` : `${name}.so.2`);
  return {
    key: `${wheel.package}-${TENSORFLOW_VERSION}-${platform}`,
    device,
    package: wheel.package,
    version: TENSORFLOW_VERSION,
    platformTags: wheel.tags,
    cc: file('libtensorflow_cc'),
    framework: file('libtensorflow_framework'),
    wheelBytes: wheel.wheelBytes,
    unpackedBytes: wheel.unpackedBytes,
    ...(wheel.untested !== undefined && { untested: wheel.untested }),
  };
}

/** `linux-x64`: names a platform as npm does. */
export const thisPlatform = (): string => `${process.platform}-${process.arch}`;

/** Whether TensorFlow is published for a platform and device. */
export const isPublished = (platform: string, device: Device): boolean => WHEELS[platform]?.[device] !== undefined;
