"""The Anthropic API: messages, as coding agents speak it."""
