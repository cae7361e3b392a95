"""What can be run: the catalogue, downloads, GGUF headers, installed models."""
