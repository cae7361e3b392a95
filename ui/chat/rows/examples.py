"""What a text with a form of its own can begin with, by the option's key."""

EXAMPLES = {
    "answer_schema": """{
  "type": "object",
  "properties": {
    "title": { "type": "string" },
    "year": { "type": "integer" },
    "tags": { "type": "array", "items": { "type": "string" } }
  },
  "required": ["title", "year"]
}""",
    "answer_grammar": """root ::= item+
item ::= "- " line "\\n"
line ::= [^\\n]+""",
}

HINTS = {
    "logit_bias": "however=-5",
    "rpc_servers": "192.168.1.20:50052",
}
"""A short one, shown in the empty box."""
