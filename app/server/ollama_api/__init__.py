"""The Ollama API, so that its clients find the models that run here."""
