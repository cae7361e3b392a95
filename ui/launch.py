"""The entry point of the program."""
