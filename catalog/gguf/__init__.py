"""Reading and checking GGUF files, here and on a server, without loading them."""
