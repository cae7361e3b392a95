"""Processes that this program starts. They read files of strangers, and so they get no key."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from typing import IO

_NAMES = frozenset(
    (
        # who runs it, in which language, and where it may write
        *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TMP", "TEMP"),
        # Windows, where little works without these
        *("SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "OS", "USERNAME"),
        *("USERPROFILE", "HOMEDRIVE", "HOMEPATH", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA"),
        *("PROGRAMFILES", "PROGRAMFILES(X86)", "PROGRAMW6432", "NUMBER_OF_PROCESSORS"),
        # which graphics card is used
        "DRI_PRIME",
        "CAUSEWAY_HOME",
    )
)
_FAMILIES = (
    *("LC_", "XDG_", "LD_", "NIX_LD", "DYLD_", "PYTHON", "PROCESSOR_", "MALLOC_", "GLIBC_"),
    *("GGML_", "LLAMA_", "OMP_", "GOMP_", "KMP_", "OPENBLAS_", "MKL_", "BLIS_"),
    *("CUDA_", "NVIDIA_", "HIP_", "ROCM_", "ROCR_", "HSA_", "AMD_", "GPU_", "VK_", "VULKAN_"),
    *("MESA_", "SYCL_", "ONEAPI_", "ZE_", "ZES_", "OCL_", "MTL_", "METAL_"),
)
"""What steers Python, the loader of libraries, the engine and the drivers of graphics cards."""

_SECRETS = ("KEY", "TOKEN", "SECRET", "PASS", "CREDENTIAL")
"""No matter which family it is of: LLAMA_API_KEY is a key."""


def start_child(
    command: Sequence[str],
    *,
    stdin: int | IO[bytes] = subprocess.PIPE,
    stdout: int | IO[bytes] = subprocess.PIPE,
    stderr: int | IO[bytes] = subprocess.PIPE,
) -> "subprocess.Popen[bytes]":
    """Start a process of this program, without a window. Raises OSError."""
    return subprocess.Popen(
        list(command),
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        env=bare_environment(os.environ),
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


def bare_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that a child needs. A variable that is not on the list is left out.

    So no child gets the keys of services, the server's key, tokens, or a proxy with its password.
    """
    return {name: value for name, value in environment.items() if _is_harmless(name)}


def _is_harmless(name: str) -> bool:
    if any(secret in name for secret in _SECRETS):
        return False
    return name in _NAMES or name.startswith(_FAMILIES)
