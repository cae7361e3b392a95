"""What tells one build of llama.cpp from another, as far as the states that it writes may differ."""

from pathlib import Path

import llama_cpp
import llama_cpp.llama_cpp as native


def engine_version() -> str:
    """The version of the bindings, what the build can do, and the sizes of its libraries."""
    folder = Path(llama_cpp.__file__).parent / "lib"
    sizes = sorted(
        file.stat().st_size for file in folder.glob("*") if file.is_file() and not file.is_symlink()
    )
    system = native.llama_print_system_info().decode("utf-8", "replace")
    return f"{llama_cpp.__version__} {system} {sizes}"
