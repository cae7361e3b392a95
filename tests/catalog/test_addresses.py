import pytest

from catalog.addresses import is_safe_address


@pytest.mark.parametrize(
    "url",
    ["https://example.org/x", "http://127.0.0.1:80", "http://localhost/x", "http://[::1]:8080/x"],
)
def test_encrypted_or_on_this_computer_is_safe(url):
    assert is_safe_address(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://example.org",
        "http://localhost.example.org",
        "http://127.0.0.1@example.org",
        "https://",
        "https://[",
        "ftp://127.0.0.1",
        "file:///etc/passwd",
        "example.org",
    ],
)
def test_anything_else_is_not(url):
    assert not is_safe_address(url)
