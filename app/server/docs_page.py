"""The page /docs: one HTML file without scripts, and nothing of it comes from elsewhere."""

from typing import Any

from jinja2 import Environment

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{{ info.title }}</title>
<style>
  :root { color-scheme: light dark; }
  body { font: 15px/23px system-ui, sans-serif; max-width: 780px; margin: 48px auto; padding: 0 16px; }
  h1 { font-size: 24px; } h2 { font-size: 18px; margin-top: 40px; }
  code, .path { font: 13px/20px ui-monospace, monospace; }
  details { border-top: 1px solid color-mix(in srgb, currentColor 20%, transparent); padding: 8px 0; }
  summary { cursor: pointer; }
  .method { display: inline-block; width: 56px; font-weight: 600; font-size: 12px; }
  .quiet { opacity: .7; }
  table { border-collapse: collapse; width: 100%; }
  td { padding: 4px 16px 4px 0; vertical-align: top; }
  td + td { word-break: break-word; }
</style>
<h1>{{ info.title }}</h1>
<p>{{ info.description }} <span class="quiet">Version {{ info.version }}.
The same as data: <a href="/openapi.json">openapi.json</a>.</span></p>
{% for tag, operations in tags.items() %}
<h2>{{ tag }}</h2>
{% for operation in operations %}
<details>
  <summary><span class="method">{{ operation.method }}</span> <span class="path">{{ operation.path }}</span>
    <span class="quiet">{{ operation.summary }}</span></summary>
  {% if operation.description %}<p>{{ operation.description }}</p>{% endif %}
  {% if operation.needs_key %}<p class="quiet">The key is needed.</p>{% endif %}
  {% if operation.fields %}
  <table>
    {% for name, kind, required in operation.fields %}
    <tr><td><code>{{ name }}</code></td><td><code>{{ kind }}</code>{% if required %} <span class="quiet">required</span>{% endif %}</td></tr>
    {% endfor %}
  </table>
  {% endif %}
</details>
{% endfor %}
{% endfor %}
</html>
"""


def docs_page(document: dict[str, Any]) -> str:
    """The HTML of an OpenAPI document."""
    template = Environment(autoescape=True).from_string(_PAGE)
    tags: dict[str, list[dict[str, Any]]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            tags.setdefault(operation["tags"][0], []).append(
                {
                    "method": method.upper(),
                    "path": path,
                    "summary": operation["summary"],
                    "description": operation.get("description", ""),
                    "needs_key": "security" in operation,
                    "fields": _fields(operation, document["components"]["schemas"]),
                }
            )
    return template.render(info=document["info"], tags=tags)


def _fields(
    operation: dict[str, Any], schemas: dict[str, dict[str, Any]]
) -> list[tuple[str, str, bool]]:
    """Name and kind of each field of the request, and whether it has to be there."""
    if "requestBody" not in operation:
        return []
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    body = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    required = body.get("required", ())
    return [
        (name, _kind(each), name in required) for name, each in body.get("properties", {}).items()
    ]


def _kind(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2].rpartition(".")[2]
    for union in ("anyOf", "oneOf"):
        if union in schema:
            kinds = [_kind(each) for each in schema[union]]
            return " or ".join(dict.fromkeys(kind for kind in kinds if kind != "null"))
    if "enum" in schema:
        return ", ".join(str(each) for each in schema["enum"])
    kind = schema.get("type", "any")
    if kind == "array" and isinstance(schema.get("items"), dict):
        return f"list of {_kind(schema['items'])}"
    return str(kind)
