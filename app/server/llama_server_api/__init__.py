"""What llama.cpp's own server has beyond the OpenAI API: tokens, templates, filling in."""

from app.server.llama_server_api.interface import OPERATIONS, routes

__all__ = ["OPERATIONS", "routes"]
