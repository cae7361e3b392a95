"""The chat page: the conversations, the transcript, the composer, the model and its settings."""
