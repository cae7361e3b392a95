"""Adapters as they are trained (PEFT): read, checked, and made into GGUF files."""

from catalog.adapters.peft.config import PeftConfig, is_peft_folder, read_config
from catalog.adapters.peft.convert import convert_peft

__all__ = [
    "PeftConfig",
    "convert_peft",
    "is_peft_folder",
    "read_config",
]
