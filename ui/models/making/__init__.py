"""New models made of those that are here: the dialogs that begin it, and the line that shows it."""
