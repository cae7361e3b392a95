"""Long pieces of work on model files, each in a process of its own."""
