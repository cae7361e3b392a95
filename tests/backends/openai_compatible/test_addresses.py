import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.errors import BackendError
from backends.openai_compatible.backend import checked_url, is_loopback
from backends.openai_compatible.providers import PROVIDERS, provider_of


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://api.example.com/v1", "https://api.example.com/v1"),
        ("api.example.com", "https://api.example.com/v1"),
        ("  https://API.example.com/openai/v1/  ", "https://api.example.com/openai/v1"),
        ("https://api.example.com/v1/chat/completions", "https://api.example.com/v1"),
        ("localhost:11434", "http://localhost:11434/v1"),
        ("127.0.0.1:8080/", "http://127.0.0.1:8080/v1"),
        ("http://[::1]:80/v1", "http://[::1]:80/v1"),
        ("http://192.168.1.4:8000", "http://192.168.1.4:8000/v1"),
        ("192.168.1.5:11434", "http://192.168.1.5:11434/v1"),
        ("nas.local", "http://nas.local/v1"),
        ("http://nas:8000/v1", "http://nas:8000/v1"),
        ("http://box.local", "http://box.local/v1"),
        ("http://100.101.102.103/v1", "http://100.101.102.103/v1"),
        ("https://bücher.example/v1", "https://xn--bcher-kva.example/v1"),
    ],
)
def test_an_address_is_brought_into_one_form(text: str, url: str) -> None:
    assert checked_url(text) == url
    assert checked_url(url) == url


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "https://", "ftp://example.com", "file:///etc/passwd", "https://exa mple.com",
        "https://example.com:99999", "https://a..b", "https://example.com\\@evil.com",
        "https://user:secret@example.com/v1", "https://example.com/v1?key=secret",
        "https://example.com/v1#x", "https://example.com/../v1", "https://exa\nmple.com",
        "http://0.0.0.0:11434", "http://2130706433", "http://0x7f000001", "http://127.1",
        "https://example.com/\u202e", "https://-x.example", "https://[::1", "x" * 5000,
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_in_words(text: str) -> None:
    with pytest.raises(BackendError) as error:
        checked_url(text)
    assert "secret" not in str(error.value)
    assert len(str(error.value)) < 500


@pytest.mark.parametrize(
    "text",
    ["http://example.com", "http://8.8.8.8", "http://[::ffff:8.8.8.8]", "http://localhost.evil.com",
     "http://[2001:4860:4860::8888]/v1", "http://127.0.0.1.evil.com"],
)  # fmt: skip
def test_plain_http_into_the_open_internet_is_refused(text: str) -> None:
    with pytest.raises(BackendError, match="plain http"):
        checked_url(text)


@pytest.mark.parametrize(
    ("url", "stays"),
    [
        ("http://localhost:1/v1", True), ("https://LOCALHOST./v1", True),
        ("http://127.3.2.1", True), ("http://[::1]", True), ("http://[::ffff:127.0.0.1]/", True),
        ("http://192.168.1.4", False), ("http://localhost.evil.com", False),
        ("https://127.0.0.1.evil.com", False), ("http://127.0.0.1@evil.com", False),
        ("nonsense or other", False), ("http://0.0.0.0", False),
    ],
)  # fmt: skip
def test_only_what_stays_on_this_computer_is_taken_for_it(url: str, stays: bool) -> None:
    assert is_loopback(url) is stays


@given(st.text(max_size=60))
def test_any_text_is_either_an_address_or_refused(text: str) -> None:
    try:
        url = checked_url(text)
    except BackendError:
        return
    assert checked_url(url) == url
    assert url.isascii()
    assert not {"@", "?", "#"} & {*url}


def test_the_services_are_told_apart_and_their_addresses_are_good() -> None:
    assert len({provider.id for provider in PROVIDERS}) == len(PROVIDERS)
    for provider in PROVIDERS:
        if provider.url:
            assert checked_url(provider.url) == provider.url
            assert is_loopback(provider.url) is not provider.needs_key
        assert provider.privacy.endswith(".")
        for page in (provider.privacy_page, provider.key_page):
            assert not page or page.startswith("https://")
    assert provider_of("no such").id == "custom"
