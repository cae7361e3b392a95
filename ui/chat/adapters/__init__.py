"""The adapters of a chat: its stack in the inspector, and what can be added to it."""
