"""Asks the CUDA driver whether it can use a GPU; prints one line of JSON.

{"gpus": 2, "cuda": 12080}, or {"failure": "..."} where the driver cannot be loaded or started. Driver API: cuda.h.
"""
import ctypes
import json


def error_name(cuda, code):
    name = ctypes.c_char_p()
    cuda.cuGetErrorName(code, ctypes.byref(name))
    return (name.value or b"error %d" % code).decode()


def probe():
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
    except OSError as error:
        return {"failure": str(error)}
    code = cuda.cuInit(0)
    if code != 0:
        return {"failure": "cuInit answers " + error_name(cuda, code)}
    gpus, version = ctypes.c_int(), ctypes.c_int()
    cuda.cuDeviceGetCount(ctypes.byref(gpus))
    cuda.cuDriverGetVersion(ctypes.byref(version))
    return {"gpus": gpus.value, "cuda": version.value}


if __name__ == "__main__":
    print(json.dumps(probe()))
