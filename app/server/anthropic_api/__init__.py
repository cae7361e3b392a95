"""The Anthropic API: messages, as coding agents speak it."""

from app.server.anthropic_api.endpoints import OPERATIONS, routes
from app.server.anthropic_api.errors import error_body

__all__ = ["OPERATIONS", "error_body", "routes"]
