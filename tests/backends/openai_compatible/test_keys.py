"""The key goes to the service, and nowhere else."""

import datetime
import logging
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from backends.errors import BackendError, BadKey, Unreachable
from backends.openai_compatible.backend import OpenAICompatibleBackend
from backends.openai_compatible.providers import provider_of
from backends.openai_compatible.quoting import quoted
from backends.testing import HELLO
from tests.backends.openai_compatible.conftest import Connect, backend_at
from tests.backends.openai_compatible.openai_server import OpenAIServer, Reply, chunks

KEY = "sk-proj-Qx7vT2mLw9RbZ4"
ECHOES = [
    f"Incorrect API key provided: {KEY}.",
    "Incorrect API key provided: sk-pr**************bZ4. You can find it at https://x.y/keys",
    f"Header was 'Bearer {KEY}'",
    f"bad?key={KEY}&x=1",
    f"{KEY[:-2]} and {KEY[3:]} are wrong",
    KEY.upper(),
    "\n".join(KEY[at : at + 9] for at in range(0, len(KEY), 9)),
    f"\x1b[31m{KEY}\x00\u202e",
]


def pieces_of(key: str) -> list[str]:
    return [key[at : at + 8] for at in range(len(key) - 7)]


@pytest.mark.parametrize("echo", ECHOES)
def test_a_service_that_repeats_the_key_does_not_bring_it_into_an_error(
    server: OpenAIServer, connect: Connect, caplog: pytest.LogCaptureFixture, echo: str
) -> None:
    caplog.set_level(logging.DEBUG)
    error = {"error": {"message": echo, "code": KEY, "type": KEY}}
    server.script = [
        Reply(status=401, body=error),
        Reply(status=400, body=error),
        Reply(status=404, body=error),
        chunks(error),
    ]
    session = connect(key=KEY)
    told = [repr(session), str(session.info)]
    for _ in range(4):
        with pytest.raises(BackendError) as caught:
            list(session.chat(HELLO))
        assert caught.value.__cause__ is None
        told += [str(caught.value), repr(caught.value), caught.value.why, caught.value.fix]
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    for text in (*told, caplog.text):
        assert not any(piece.casefold() in text.casefold() for piece in pieces_of(KEY))
        assert text.isprintable() or text == caplog.text


def test_a_redirect_that_names_the_key_is_not_quoted(
    server: OpenAIServer, connect: Connect
) -> None:
    server.elsewhere = f"https://{KEY}.example"
    server.script = ["redirect"]
    with pytest.raises(BackendError, match="sends on to") as error:
        list(connect(key=KEY).chat(HELLO))
    assert KEY.casefold() not in str(error.value).casefold()


def test_what_a_service_says_is_quoted_short_and_printable() -> None:
    text = quoted("Too\nmany\x07 tokens \u202eabc " + "word " * 10_000, "")
    assert text.startswith("Too many tokens abc word")
    assert len(text) <= 300


def test_a_key_that_is_a_common_word_spoils_no_more_than_that_word() -> None:
    assert quoted("ollama says: no such model", "ollama") == "… says: no such model"
    assert "x" not in quoted("axbxc", "x")


def test_a_model_that_is_called_like_the_key_is_not_listed(server: OpenAIServer) -> None:
    server.models = {"data": [{"id": f"model-{KEY}"}, {"id": "words"}]}
    assert [model.id for model in backend_at(server.url, key=KEY).models()] == ["words"]


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "schlüssel", "\x00", "a\r\nX-Evil: 1"])
def test_a_key_that_no_header_can_hold_is_refused_before_it_is_sent(
    server: OpenAIServer, key: str
) -> None:
    with pytest.raises(BadKey) as error:
        backend_at(server.url, key=key).models()
    assert key not in str(error.value)
    assert server.requests == []


def test_a_service_that_needs_a_key_is_not_asked_without() -> None:
    backend = OpenAICompatibleBackend(
        "OpenAI", provider_of("openai"), "https://nowhere.invalid/v1", key=lambda: " "
    )
    with pytest.raises(BadKey, match="None is set"):
        backend.models()


def test_the_key_is_asked_for_each_request(server: OpenAIServer) -> None:
    keys = iter(("sk-first", "sk-second", "sk-third", "sk-fourth"))
    backend = OpenAICompatibleBackend(
        "Words", provider_of("custom"), server.url, key=lambda: next(keys)
    )
    backend.models()
    backend.models()
    sent = [request.headers["authorization"] for request in server.requests]
    assert sent == ["Bearer sk-first", "Bearer sk-third"]


def test_without_a_key_no_header_is_sent(server: OpenAIServer) -> None:
    backend_at(server.url).models()
    assert "authorization" not in server.requests[0].headers


def test_where_a_list_of_models_takes_the_key_otherwise_it_is_sent_so(
    server: OpenAIServer,
) -> None:
    backend_at(server.url, provider="anthropic", key=KEY).models()
    headers = server.requests[0].headers
    assert headers["x-api-key"] == KEY
    assert headers["anthropic-version"]
    assert "authorization" not in headers


def test_offline_nothing_leaves_this_computer() -> None:
    backend = OpenAICompatibleBackend(
        "Far", provider_of("custom"), "https://nowhere.invalid/v1",
        key=lambda: pytest.fail("was asked for the key"), allowed=lambda: False,
    )  # fmt: skip
    with pytest.raises(BackendError, match="stay offline"):
        backend.models()


def test_offline_a_service_on_this_computer_still_answers(server: OpenAIServer) -> None:
    assert backend_at(server.url, allowed=lambda: False).models()


def test_offline_a_model_that_is_only_passed_on_is_refused(
    server: OpenAIServer, connect: Connect
) -> None:
    session = connect("big:120b-cloud", provider="ollama", allowed=lambda: False)
    with pytest.raises(BackendError, match="stay offline"):
        list(session.chat(HELLO))
    assert server.requests == []


def test_no_proxy_comes_between_here_and_a_service_on_this_computer(
    server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    assert backend_at(server.url, proxy=lambda: "http://127.0.0.1:1").models()


@pytest.mark.parametrize(
    "proxy", ["http://127.0.0.1:1", "socks5://127.0.0.1:1", "nonsense", "x://"]
)
def test_a_proxy_that_is_of_no_use_is_told_as_such(proxy: str) -> None:
    with pytest.raises(BackendError) as error:
        backend_at("https://nowhere.invalid/v1", proxy=lambda: proxy).models()
    assert "nowhere" not in str(error.value) or error.value.why


def test_a_service_whose_certificate_nobody_vouches_for_gets_nothing(tmp_path: Path) -> None:
    with OpenAIServer(certificate=self_signed(tmp_path / "server.pem")) as server:
        with pytest.raises(Unreachable, match="can't be trusted"):
            backend_at(server.url, key=KEY).models()
        assert server.requests == []


def self_signed(path: Path) -> Path:
    """A certificate of 127.0.0.1 with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path
