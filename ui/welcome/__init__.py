"""The first page that a person sees."""
