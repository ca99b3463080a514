/**
 * The files that set-up takes from the Python index, each by name, size and SHA-256. A name and a version alone could be met by any file that
 * a mirror or a folder of `find-links` serves. To move to another version: the hashes stand on the page of the package in the index.
 */

/** One file of the Python index. */
export interface PinnedWheel {
  readonly file: string;
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** Official wheels of TensorFlow, by platform and build. The library in them needs no Python: any Python version will do. */
export const TENSORFLOW_WHEELS = {
  'linux-x64': {
    cpu: { file: 'tensorflow_cpu-2.21.0-cp312-cp312-manylinux_2_27_x86_64.whl', bytes: 274_000_871, sha256: 'dcc8afd32930e42d5296b6ee19078b773706830af4ea97fbe503b9f5e0f820cb' },
    gpu: { file: 'tensorflow-2.21.0-cp312-cp312-manylinux_2_27_x86_64.whl', bytes: 572_611_111, sha256: 'b3b95643c4e70eb925839938fb35cbe142f317ec84af6844ee61513713bb13c0' },
  },
  'linux-arm64': {
    cpu: { file: 'tensorflow-2.21.0-cp312-cp312-manylinux_2_27_aarch64.whl', bytes: 281_946_471, sha256: 'b07d15737406533898e36c7ef7944b1be18e9028dc521b9229952c537bbc5552' },
  },
  'darwin-arm64': {
    cpu: { file: 'tensorflow-2.21.0-cp312-cp312-macosx_12_0_arm64.whl', bytes: 223_488_205, sha256: '56ecd7d47429acbe1df2694d50b75bf9fc3995ac92cb367cd9af6c4780ead712' },
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, PinnedWheel>>>>;

/** The CUDA 12 packages that the GPU build asks for (its extra `and-cuda`): the newest of the ranges that it names, as far as they have wheels for its platform. */
export const CUDA_WHEELS: readonly PinnedWheel[] = [
  { file: 'nvidia_cublas_cu12-12.9.3.13-py3-none-manylinux_2_27_x86_64.whl', bytes: 581_217_458, sha256: 'd7d51055f161b317c7105ddaae90e71eda059026074ffef93cf7cde2886bfe72' },
  { file: 'nvidia_cuda_cupti_cu12-12.8.90-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl', bytes: 10_248_621, sha256: 'ea0cb07ebda26bb9b29ba82cda34849e73c166c18162d3913575b0c9db9a6182' },
  { file: 'nvidia_cuda_nvcc_cu12-12.9.86-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl', bytes: 40_546_229, sha256: '5d6a0d32fdc7ea39917c20065614ae93add6f577d840233237ff08e9a38f58f0' },
  { file: 'nvidia_cuda_nvrtc_cu12-12.9.86-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl', bytes: 89_568_129, sha256: '210cf05005a447e29214e9ce50851e83fc5f4358df8b453155d5e1918094dcb4' },
  { file: 'nvidia_cuda_runtime_cu12-12.9.79-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl', bytes: 3_493_179, sha256: '25bba2dfb01d48a9b59ca474a1ac43c6ebf7011f1b0b8cc44f54eb6ac48a96c3' },
  { file: 'nvidia_cudnn_cu12-9.28.0.42-py3-none-manylinux_2_27_x86_64.whl', bytes: 716_538_495, sha256: '9ff58b7f36dacd0a93e89f8f2957b52466889217963701daa15e577317cfa375' },
  { file: 'nvidia_cufft_cu12-11.4.1.4-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl', bytes: 200_877_592, sha256: 'c67884f2a7d276b4b80eb56a79322a95df592ae5e765cf1243693365ccab4e28' },
  { file: 'nvidia_curand_cu12-10.3.10.19-py3-none-manylinux_2_27_x86_64.whl', bytes: 68_295_626, sha256: '49b274db4780d421bd2ccd362e1415c13887c53c214f0d4b761752b8f9f6aa1e' },
  { file: 'nvidia_cusolver_cu12-11.7.5.82-py3-none-manylinux_2_27_x86_64.whl', bytes: 338_117_415, sha256: '15da72d1340d29b5b3cf3fd100e3cd53421dde36002eda6ed93811af63c40d88' },
  { file: 'nvidia_cusparse_cu12-12.5.10.65-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl', bytes: 366_465_088, sha256: '73060ce019ac064a057267c585bf1fd5a353734151f87472ff02b2c5c9984e78' },
  { file: 'nvidia_nccl_cu12-2.32.3-py3-none-manylinux_2_27_x86_64.whl', bytes: 351_526_311, sha256: 'bb94b2348e4861d5e8aa00b36c3d12d9bdf9c6369b82cbb723de0b582280a21c' },
  { file: 'nvidia_nvjitlink_cu12-12.9.86-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl', bytes: 39_748_338, sha256: 'e3f1171dbdc83c5932a45f0f4c99180a70de9bd2718c1ab77d14104f6d7147f9' },
];
