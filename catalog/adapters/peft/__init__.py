"""Adapters as they are trained (PEFT): read, checked, and made into GGUF files."""

from catalog.adapters.peft.config import CONFIG_FILE, PeftConfig, is_peft_folder, read_config
from catalog.adapters.peft.convert import convert_peft
from catalog.adapters.peft.weights import WEIGHTS_FILE

__all__ = [
    "CONFIG_FILE",
    "WEIGHTS_FILE",
    "PeftConfig",
    "convert_peft",
    "is_peft_folder",
    "read_config",
]
