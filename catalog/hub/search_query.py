"""What a search sends to the Hub, and how it goes on to the next page."""

from urllib.parse import parse_qs, urlsplit

from catalog.hub.answers import text
from catalog.hub.records import FoundRepository, HubQuery

_PAGE = 30
_LINE_FIELDS = ("downloads", "likes", "lastModified", "gated", "tags", "gguf")
_SORTS = {"trending": "trendingScore", "downloads": "downloads", "newest": "createdAt"}
# No tag alone finds all adapters: those made with PEFT bear one, others only another, and those that
# are still to be converted are no GGUF. So there are several listings, each without what was before.
_ADAPTER_LISTINGS = (("gguf", "peft"), ("gguf", "lora"), ("peft", "safetensors"))
_LONGEST_CURSOR = 4000


def search_params(query: HubQuery, listing: int) -> list[tuple[str, str]]:
    """The parameters of the first page of a listing."""
    tags = _ADAPTER_LISTINGS[listing] if query.adapters else ("gguf",)
    params = [("filter", tag) for tag in tags]
    if query.licence:
        params.append(("filter", f"license:{text(query.licence)}"))
    if words := _words_of(query.text):
        params.append(("search", words))
    if author := text(query.author):
        params.append(("author", author))
    least, most = query.parameters
    span = [
        f"{end}:{billions:g}B"
        for end, billions in (("min", least), ("max", most))
        if billions is not None
    ]
    if span:
        params.append(("num_parameters", ",".join(span)))
    params += [("sort", _SORTS[query.sort]), ("limit", str(_PAGE))]
    return params + [("expand", field) for field in _LINE_FIELDS]


def _words_of(typed: str) -> str:
    """What to search for; of the address of a repository, its name."""
    words = text(typed)
    if "://" not in words:
        return words
    try:
        names = urlsplit(words).path.strip("/").split("/")
    except ValueError:
        return words
    return "/".join(names[:2])


def not_shown_before(
    found: tuple[FoundRepository, ...], query: HubQuery, listing: int
) -> tuple[FoundRepository, ...]:
    """Without what an earlier listing has shown already."""
    if not query.adapters:
        return found
    earlier = _ADAPTER_LISTINGS[:listing]
    return tuple(
        each for each in found if not any(set(tags).issubset(each.tags) for tags in earlier)
    )


def cursor_in(more: str) -> tuple[int, str]:
    """The listing, and the place in it, that `HubPage.more` stands for."""
    number, colon, cursor = more.partition(":")
    if not colon:
        return 0, ""
    return min(int(number), len(_ADAPTER_LISTINGS) - 1) if number.isdecimal() else 0, cursor


def more_of(query: HubQuery, listing: int, cursor: str) -> str:
    """`HubPage.more` after a page that ends at `cursor`, which is empty at the end of a listing."""
    if cursor:
        return f"{listing}:{cursor}"
    is_last = not query.adapters or listing + 1 == len(_ADAPTER_LISTINGS)
    return "" if is_last else f"{listing + 1}:"


def cursor_of(link: str) -> str:
    """What tells the next page in the address that a server gives for it; its own origin is kept."""
    if len(link) > _LONGEST_CURSOR:
        return ""
    try:
        return parse_qs(urlsplit(link).query).get("cursor", [""])[0]
    except ValueError:
        return ""
