"""Small chat templates that write tools and calls as those of well-known models do."""

_HEAD = "{% for m in messages %}<|im_start|>{{ m.role }}\n"
_TAIL = "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
_TOOLS = "{% if tools %}<|im_start|>system\nTOOLS {{ tools | tojson }}<|im_end|>\n{% endif %}"

HERMES = (
    _TOOLS + _HEAD + "{{ m.content }}{% for c in m.tool_calls or [] %}"
    "{% if not loop.first or m.content %}\n{% endif %}<tool_call>\n"
    '{"name": "{{ c.function.name }}", "arguments": {{ c.function.arguments | tojson }}}\n'
    "</tool_call>{% endfor %}" + _TAIL
)
LLAMA_3 = (
    "{% if tools is defined %}{% for t in tools %}{{ t | tojson(indent=4) }}\n{% endfor %}{% endif %}"
    + _HEAD
    + "{% if 'tool_calls' in m %}{% if m.tool_calls|length != 1 %}"
    "{{ raise_exception('one at a time') }}{% endif %}"
    '{"name": "{{ m.tool_calls[0].function.name }}", "parameters": '
    "{{ m.tool_calls[0].function.arguments | tojson }}}"
    "{% else %}{{ m.content }}{% endif %}" + _TAIL
)
MISTRAL_LIST = (
    _TOOLS + _HEAD + "{{ m.content }}{% if m.tool_calls %}[TOOL_CALLS][{% for c in m.tool_calls %}"
    "{% if c.id|length != 9 %}{{ raise_exception('nine') }}{% endif %}"
    "{{ c.function | tojson }}{% if not loop.last %}, {% endif %}{% endfor %}]{% endif %}" + _TAIL
)
MISTRAL_NAMED = (
    _TOOLS + _HEAD + "{{ m.content }}{% for c in m.tool_calls or [] %}"
    "[TOOL_CALLS]{{ c.function.name }}[ARGS]{{ c.function.arguments | tojson }}{% endfor %}" + _TAIL
)
DEEPSEEK_FENCED = (
    _TOOLS + _HEAD + "{{ m.content }}{% for c in m.tool_calls or [] %}"
    "{% if loop.first %}{{ '<｜tool▁calls▁begin｜>' }}{% endif %}"
    "{{ '<｜tool▁call▁begin｜>' + c['type'] + '<｜tool▁sep｜>' + c.function.name + '\\n```json\\n' + "
    "c.function.arguments + '\\n```<｜tool▁call▁end｜>' }}"
    "{% if loop.last %}{{ '<｜tool▁calls▁end｜>' }}{% endif %}{% endfor %}" + _TAIL
)
FUNCTION_GEMMA = (
    _TOOLS + _HEAD + "{{ m.content }}{% for c in m.tool_calls or [] %}"
    "<start_function_call>call:{{ c.function.name }}{{ '{' }}"
    "{% for k, v in c.function.arguments | dictsort %}{{ k }}:<escape>{{ v }}<escape>"
    "{% if not loop.last %},{% endif %}{% endfor %}{{ '}' }}<end_function_call>{% endfor %}" + _TAIL
)
QWEN_CODER = (
    _TOOLS + _HEAD + "{{ m.content }}{% for c in m.tool_calls or [] %}"
    "<tool_call>\n<function={{ c.function.name }}>\n"
    "{% for k, v in c.function.arguments | items %}<parameter={{ k }}>\n{{ v }}\n</parameter>\n"
    "{% endfor %}</function>\n</tool_call>{% endfor %}" + _TAIL
)
UNKNOWN = (
    _TOOLS + _HEAD + "{{ m.content }}{% for c in m.tool_calls or [] %}"
    "CALL {{ c.function.name }}({{ c.function.arguments | tojson }}){% endfor %}" + _TAIL
)
