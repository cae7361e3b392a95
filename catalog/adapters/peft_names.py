"""The names of the files that a PEFT adapter consists of."""

CONFIG_FILE = "adapter_config.json"
WEIGHTS_FILE = "adapter_model.safetensors"
PICKLES = ("adapter_model.bin", "adapter_model.pt", "adapter_model.pth")
"""Older ways to keep the weights. They are programs that run when they are read, so they never are."""
