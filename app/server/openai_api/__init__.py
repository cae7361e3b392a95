"""The OpenAI API: chat, completions, embeddings, responses, and the order of documents."""

from app.server.openai_api.errors import error_body
from app.server.openai_api.interface import OPERATIONS, routes

__all__ = ["OPERATIONS", "error_body", "routes"]
