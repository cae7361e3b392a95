import pytest

from app.errors import AppError
from app.references import CatalogueRef, HubRef, UrlRef, parse_ref, parse_repository


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("smollm2-135m-instruct", CatalogueRef("smollm2-135m-instruct")),
        (" llama-7b:Q4_K_M ", CatalogueRef("llama-7b", "Q4_K_M")),
        ("lab/tiny", CatalogueRef("lab/tiny")),
        ("hub:owner/Name-1.5B-GGUF", HubRef("owner/Name-1.5B-GGUF")),
        ("hub:owner/name:Q8_0", HubRef("owner/name", "Q8_0")),
        ("hub:owner/name:sub/x.gguf", HubRef("owner/name", "sub/x.gguf")),
        ("https://example.org/a/x.gguf", UrlRef("https://example.org/a/x.gguf")),
        ("http://127.0.0.1:80/x.GGUF?a=1", UrlRef("http://127.0.0.1:80/x.GGUF?a=1")),
    ],
)
def test_what_can_be_pulled(text, ref):
    assert parse_ref(text) == ref


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "hub:",
        "hub:name",
        "hub:owner/../etc",
        "hub:a/b/c",
        "hub:ow ner/name",
        "http://example.org/x.gguf",
        "ftp://example.org/x.gguf",
        "file:///etc/x.gguf",
        "https://",
        "https://[/x.gguf",
        "https://example.org/x.bin",
        "https://name:secret@example.org/x.gguf",
    ],
)
def test_what_can_t_is_refused_in_words(text):
    with pytest.raises(AppError) as error:
        parse_ref(text)
    assert error.value.fix or error.value.command


@pytest.mark.parametrize(
    "text",
    [
        " owner/name ",
        "hub:owner/name",
        "https://hub.example/owner/name",
        "https://hub.example/owner/name/tree/main?x=1",
    ],
)
def test_a_repository_is_named_by_itself_or_by_its_page(text):
    assert parse_repository(text) == "owner/name"


@pytest.mark.parametrize(
    "text", ["", "name", "owner/", "a/b/c", "../name", "https://hub.example/owner", "https://["]
)
def test_what_is_no_repository_is_refused(text):
    with pytest.raises(AppError, match="is no repository"):
        parse_repository(text)
