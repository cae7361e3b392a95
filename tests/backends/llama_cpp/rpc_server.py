"""Runs llama.cpp's RPC server on this machine's processor: `python rpc_server.py PORT`."""

import ctypes
import sys

import llama_cpp.llama_cpp as native
from llama_cpp._ggml import libggml


def main() -> None:
    native.llama_backend_init()
    by_name = libggml.ggml_backend_reg_by_name
    by_name.argtypes, by_name.restype = [ctypes.c_char_p], ctypes.c_void_p
    address = libggml.ggml_backend_reg_get_proc_address
    address.argtypes, address.restype = [ctypes.c_void_p, ctypes.c_char_p], ctypes.c_void_p
    device = libggml.ggml_backend_dev_get
    device.argtypes, device.restype = [ctypes.c_size_t], ctypes.c_void_p
    start = ctypes.CFUNCTYPE(
        None,
        ctypes.c_char_p,
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.c_size_t,
        ctypes.POINTER(ctypes.c_void_p),
    )(address(by_name(b"RPC"), b"ggml_backend_rpc_start_server"))
    start(f"127.0.0.1:{sys.argv[1]}".encode(), None, 1, 1, (ctypes.c_void_p * 1)(device(0)))


if __name__ == "__main__":
    main()
