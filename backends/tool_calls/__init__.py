"""Calls of tools in the text of an answer: the forms that models write them in, read and written."""
