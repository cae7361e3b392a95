"""What a licence allows, in a sentence. The licence itself is what counts, and is a link away."""

from PySide6.QtCore import QCoreApplication

_NAMES = {
    "apache-2.0": "Apache-2.0",
    "mit": "MIT",
    "gemma": "Gemma",
    "creativeml-openrail-m": "CreativeML OpenRAIL-M",
    "bigscience-openrail-m": "BigScience OpenRAIL-M",
    "openrail": "OpenRAIL",
    "qwen": "Qwen",
    "qwen-research": "Qwen Research",
    "deepseek": "DeepSeek",
}
_FAMILIES = (("llama", "Llama"), ("lfm", "LFM"))
_UPPER = ("bsd", "cc", "gpl", "lgpl", "agpl", "isc", "mpl", "epl", "cc0", "cdla", "eupl")


def licence_name(licence_id: str) -> str:
    """As people write it: “Apache-2.0” for “apache-2.0”, “Llama 3.1” for “llama3.1”.

    What nobody knows here stays as it is.
    """
    return " AND ".join(_name(part.strip()) for part in licence_id.split(" AND "))


def licence_meaning(licence_id: str) -> str:
    """Of each part of “MIT AND llama3.1”. Empty where nobody has put it into words here."""
    sentences: list[str] = []
    for part in licence_id.split(" AND "):
        sentence = _meaning(part.strip().lower())
        if sentence and sentence not in sentences:
            sentences.append(sentence)
    # The narrower one comes second, and counts.
    return " ".join(sentences)


def _name(part: str) -> str:
    key = part.lower()
    if key in _NAMES:
        return _NAMES[key]
    if key in ("not stated", ""):
        return _tr("not stated")
    if key in ("other", "unknown"):
        return _tr("Other licence")
    if part != key:
        return part
    for prefix, name in _FAMILIES:
        version = key.removeprefix(prefix)
        if version != key and version.replace(".", "").isdigit():
            return f"{name} {version}"
    if key.split("-")[0] in _UPPER:
        return key.upper().replace("-CLAUSE", "-Clause")
    return part


def _meaning(key: str) -> str:
    if key in ("apache-2.0", "mit", "bsd-3-clause", "bsd-2-clause", "isc", "unlicense", "cc0-1.0"):
        return _tr("Use, change and share it, also for money.")
    if key.startswith(("gpl", "agpl", "lgpl")):
        return _tr("Use, change and share it; what you share stays open under the same licence.")
    if "nc" in key.split("-"):
        return _tr("Use, change and share it, but not for money.")
    if key.startswith("cc-by"):
        return _tr("Use, change and share it, also for money; name who made it.")
    if key.startswith("gemma"):
        return _tr("Google's own terms: also for money, but not for the uses that they forbid.")
    if key.startswith(("llama2", "llama3", "llama4")):
        return _tr(
            "Meta's own terms: also for money, but not for the uses that they forbid, nor for "
            "products with more than 700 million people."
        )
    if "non-commercial" in key or key.endswith("-research"):
        return _tr("For research and trying out, not for money.")
    if key.startswith("lfm"):
        return _tr("Liquid AI's own terms: free for people and for small companies.")
    if "openrail" in key:
        return _tr("Also for money, but not for the uses that it forbids.")
    if key in ("not stated", ""):
        return _tr("Nobody has said what may be done with it.")
    return ""


def _tr(text: str) -> str:
    return QCoreApplication.translate("Licences", text)
