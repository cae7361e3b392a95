"""The Ollama API, so that its clients find the models that run here."""

from app.server.ollama_api.errors import error_body
from app.server.ollama_api.interface import OPERATIONS, routes

__all__ = ["OPERATIONS", "error_body", "routes"]
