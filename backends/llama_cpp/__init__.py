"""The llama.cpp engine: a worker process per loaded model."""
