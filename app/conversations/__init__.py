"""Conversations as trees of messages, in one SQLite file."""
