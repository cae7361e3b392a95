"""Services that speak the OpenAI API, on this computer or elsewhere."""
