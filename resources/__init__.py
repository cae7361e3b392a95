"""Data that ships with the program: the bundled catalogue, themes, translations, icons."""
