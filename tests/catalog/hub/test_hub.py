"""Searching the Hub, reading repositories, resolving files: the real client against the stand-in."""

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import msgspec
import pytest

from catalog.catalogues.entries import HubFile
from catalog.hub.errors import GatedRepository, HubError, NotOffered
from catalog.hub.hub import Hub
from catalog.hub.records import HubQuery
from catalog.network import Network
from tests.catalog.file_server import Request
from tests.catalog.hub_server import HubServer

CONTENT = b"GGUF" + bytes(range(256)) * 64
SHA256 = hashlib.sha256(CONTENT).hexdigest()
REPO = "maker/tiny-GGUF"


@pytest.fixture
def server() -> Iterator[HubServer]:
    with HubServer(tokens={"hf_right": "ada"}) as server:
        yield server


def hub_at(server: HubServer, **changes: object) -> Hub:
    network = Network(hub_endpoint=server.url, **changes)  # type: ignore[arg-type]
    return Hub(lambda: network)


def authorization(request: Request) -> str:
    return {name.lower(): value for name, value in request.headers.items()}.get("authorization", "")


def names_of(hub: Hub, query: HubQuery) -> list[str]:
    """All pages of a search."""
    names, more = [], ""
    while True:
        page = hub.search(query, more)
        names += [each.repo for each in page.found]
        more = page.more
        if not more:
            return names


def test_a_search_tells_what_a_line_needs(server: HubServer) -> None:
    server.add(
        REPO, {}, downloads=12, likes=3, licence="mit", parameters=135_000_000,
        architecture="llama", gated="manual", updated="2025-03-01T12:00:00.000Z",
        tags=["conversational"],
    )  # fmt: skip
    [found] = hub_at(server).search(HubQuery(text="tiny")).found
    assert (found.repo, found.author, found.name) == (REPO, "maker", "tiny-GGUF")
    assert (found.downloads, found.likes, found.licence) == (12, 3, "mit")
    assert (found.parameters, found.architecture, found.gated) == (135_000_000, "llama", True)
    assert datetime.fromtimestamp(found.updated, UTC).date().isoformat() == "2025-03-01"
    assert "conversational" in found.tags


def test_pages_follow_one_another_to_the_end(server: HubServer) -> None:
    for number in range(70):
        server.add(f"maker/model-{number:02}-GGUF", {}, downloads=number)
    names = names_of(hub_at(server), HubQuery(sort="downloads"))
    assert names == [f"maker/model-{number:02}-GGUF" for number in range(69, -1, -1)]


def test_pages_stay_on_the_mirror_that_names_the_hub_as_the_next(server: HubServer) -> None:
    server.links = "https://elsewhere.invalid"
    for number in range(40):
        server.add(f"maker/model-{number}-GGUF", {})
    assert len(names_of(hub_at(server), HubQuery())) == 40


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (HubQuery(text="LLAMA"), ["a/llama-7b-GGUF"]),
        (HubQuery(author="b"), ["b/qwen-1b-GGUF"]),
        (HubQuery(licence="mit"), ["b/qwen-1b-GGUF"]),
        (HubQuery(parameters=(2, None)), ["a/llama-7b-GGUF"]),
        (HubQuery(parameters=(None, 2)), ["b/qwen-1b-GGUF"]),
        (HubQuery(parameters=(0.5, 0.6)), []),
        (HubQuery(sort="newest"), ["b/qwen-1b-GGUF", "a/llama-7b-GGUF"]),
        (HubQuery(sort="trending"), ["a/llama-7b-GGUF", "b/qwen-1b-GGUF"]),
        (HubQuery(text="https://huggingface.co/b/qwen-1b-GGUF/tree/main"), ["b/qwen-1b-GGUF"]),
    ],
)
def test_a_search_is_narrowed_and_sorted(
    server: HubServer, query: HubQuery, expected: list[str]
) -> None:
    server.add(
        "a/llama-7b-GGUF", {}, parameters=7 * 10**9, trending=5.0, updated="2024-01-01T00:00:00Z"
    )
    server.add("b/qwen-1b-GGUF", {}, parameters=10**9, licence="mit")
    server.add("c/not-for-llama-cpp", {}).info["tags"].remove("gguf")
    assert names_of(hub_at(server), query) == expected


def test_adapters_are_found_by_either_tag_and_shown_once(server: HubServer) -> None:
    server.add("a/model-GGUF", {})
    server.add("a/peft-adapter-GGUF", {}, tags=["peft"])
    server.add("a/lora-adapter-GGUF", {}, tags=["lora"])
    server.add("a/both-GGUF", {}, tags=["peft", "lora"])
    names = names_of(hub_at(server), HubQuery(adapters=True))
    assert sorted(names) == ["a/both-GGUF", "a/lora-adapter-GGUF", "a/peft-adapter-GGUF"]


def test_an_empty_first_listing_of_adapters_is_passed_over(server: HubServer) -> None:
    server.add("a/lora-adapter-GGUF", {}, tags=["lora"])
    page = hub_at(server).search(HubQuery(adapters=True))
    assert [each.repo for each in page.found] == ["a/lora-adapter-GGUF"]


def test_adapters_that_are_to_be_converted_are_found_last(server: HubServer) -> None:
    server.add("a/trained", {}, tags=["peft", "safetensors"]).info["tags"].remove("gguf")
    server.add("a/pickled", {}, tags=["peft"]).info["tags"].remove("gguf")
    server.add("a/both", {}, tags=["peft", "safetensors"])
    server.add("a/converted-GGUF", {}, tags=["lora"])
    hub, pages, more = hub_at(server), [], ""
    for _ in range(3):
        page = hub.search(HubQuery(adapters=True), more)
        pages.append([(each.repo, each.is_peft) for each in page.found])
        more = page.more
    assert pages == [[("a/both", False)], [("a/converted-GGUF", False)], [("a/trained", True)]]
    assert not more


def test_odd_lines_of_a_search_are_left_out(server: HubServer) -> None:
    server.add(
        REPO, {}, downloads=-5, likes="many", lastModified="soon", gguf=[1], gated=None,
        cardData="none",
    )  # fmt: skip
    for name in ("../../etc", "a/b/c", "a/.hidden", "a/\x1b[31m", "owner"):
        server.add(name, {})
    [found] = hub_at(server).search(HubQuery()).found
    assert (found.repo, found.downloads, found.likes, found.updated) == (REPO, 0, 0, 0.0)
    assert found.licence == "apache-2.0"  # the tag says so


def test_a_repository_shows_its_card_and_its_files_by_what_they_are(server: HubServer) -> None:
    added = server.add(
        REPO,
        {
            "tiny-Q8_0.gguf": CONTENT * 2,
            "tiny-Q4_K_M.gguf": CONTENT,
            "BF16/tiny-BF16-00001-of-00002.gguf": CONTENT * 3,
            "BF16/tiny-BF16-00002-of-00002.gguf": CONTENT,
            "mmproj-F16.gguf": CONTENT,
            "imatrix.gguf": CONTENT,
            "mtp-tiny-Q4_0.gguf": CONTENT,
            "config.json": b"{}",
        },
        card="---\nlicense: mit\ntags:\n- a\n---\n# Tiny\n\n---\nA *small* model.\n",
        licence="mit", parameters=135, architecture="llama", context=8192, base="maker/tiny",
        downloads=5, likes=2,
    )  # fmt: skip
    shown = hub_at(server).repository(REPO)
    assert [each.quant for each in shown.quants] == ["Q4_K_M", "Q8_0", "BF16"]
    assert [each.size_bytes for each in shown.quants] == [len(CONTENT) * n for n in (1, 2, 4)]
    assert [each.quant for each in shown.projectors] == ["F16"]
    assert shown.quants[0].files[0].sha256 == SHA256
    assert shown.quants[0].files[0].source == HubFile(REPO, "tiny-Q4_K_M.gguf", added.commit)
    assert shown.card == "# Tiny\n\n---\nA *small* model."
    assert (shown.licence, shown.base, shown.context) == ("mit", "maker/tiny", 8192)
    assert (shown.parameters, shown.downloads, shown.likes) == (135, 5, 2)
    assert (shown.commit, shown.gated, shown.listed) == (added.commit, "no", True)
    assert shown.url == f"{server.url}/{REPO}"


def test_a_repository_made_by_an_adapter_tool_has_adapters(server: HubServer) -> None:
    server.add(REPO, {"sienna-q8_0.gguf": CONTENT}, tags=["peft", "gguf-my-lora"])
    shown = hub_at(server).repository(REPO)
    assert (len(shown.quants), [each.quant for each in shown.adapters]) == (0, ["Q8_0"])


def test_no_path_leaves_its_folder(server: HubServer) -> None:
    server.add(
        REPO,
        {"../evil.gguf": CONTENT, "/etc/evil.gguf": CONTENT, "C:\\evil.gguf": CONTENT,
         "a/../../evil.gguf": CONTENT, "nul.gguf": CONTENT, "fine-Q4_0.gguf": CONTENT},
    )  # fmt: skip
    shown = hub_at(server).repository(REPO)
    assert [each.files[0].source.path for each in shown.quants] == ["fine-Q4_0.gguf"]


def test_what_the_licence_other_stands_for_is_told(server: HubServer) -> None:
    server.add(
        REPO, {}, licence="other",
        cardData={"license": "other", "license_name": "tiny-licence",
                  "license_link": "https://example.com/licence", "base_model": ["a/b", "c/d"]},
    )  # fmt: skip
    shown = hub_at(server).repository(REPO)
    assert (shown.licence, shown.licence_url) == ("tiny-licence", "https://example.com/licence")
    assert shown.base == "a/b"


@pytest.mark.parametrize("link", ["javascript:alert(1)", "file:///etc/passwd", "LICENSE", 7])
def test_only_a_web_address_is_offered_for_the_licence(server: HubServer, link: object) -> None:
    server.add(REPO, {}, cardData={"license": "mit", "license_link": link})
    assert hub_at(server).repository(REPO).licence_url == ""


def test_a_gated_repository_says_whether_one_is_let_in(server: HubServer) -> None:
    server.add(REPO, {"a-Q4_0.gguf": CONTENT}, card="# Card", gated="auto", readers=["ada"])
    assert hub_at(server).repository(REPO).gated == "ask"
    inside = hub_at(server, hub_token="hf_right").repository(REPO)
    assert (inside.gated, inside.card) == ("granted", "# Card")
    server.repositories[REPO].readers = frozenset()
    assert hub_at(server, hub_token="hf_right").repository(REPO).gated == "ask"


def test_sizes_come_from_the_tree_where_the_page_has_none(server: HubServer) -> None:
    server.blobs, server.page_size = False, 2
    server.add(REPO, {f"tiny-Q{number}_0.gguf": CONTENT for number in (4, 5, 8)})
    shown = hub_at(server).repository(REPO)
    assert [each.size_bytes for each in shown.quants] == [len(CONTENT)] * 3
    assert len(server.asked("/tree/")) == 2


def test_sizes_come_file_by_file_where_a_mirror_has_no_tree(server: HubServer) -> None:
    server.sizes = server.blobs = False
    server.add(REPO, {"tiny-Q4_0.gguf": CONTENT, "tiny-Q8_0.gguf": CONTENT * 2})
    shown = hub_at(server).repository(REPO)
    assert [each.size_bytes for each in shown.quants] == [len(CONTENT), len(CONTENT) * 2]
    assert shown.quants[0].files[0].sha256 == SHA256


def test_names_stay_where_no_size_can_be_had(server: HubServer) -> None:
    server.sizes = server.blobs = server.heads = False
    server.add(REPO, {"tiny-Q8_0.gguf": CONTENT, "tiny-Q4_0.gguf": CONTENT})
    shown = hub_at(server).repository(REPO)
    assert [(each.quant, each.size_bytes) for each in shown.quants] == [
        ("Q4_0", None),
        ("Q8_0", None),
    ]


def test_a_mirror_without_listing_still_serves_downloads(server: HubServer) -> None:
    server.listing = False
    server.add(REPO, {"tiny-Q4_0.gguf": CONTENT}, card="# Tiny")
    hub = hub_at(server)
    shown = hub.repository(REPO)
    assert (shown.listed, shown.quants, shown.card) == (False, (), "# Tiny")
    assert hub.resolve(HubFile(REPO, "tiny-Q4_0.gguf")).size == len(CONTENT)
    with pytest.raises(NotOffered, match="OWNER/NAME"):
        hub.search(HubQuery())


def test_a_file_resolves_to_a_signed_address_without_the_token(server: HubServer) -> None:
    server.add(REPO, {"tiny-Q4_0.gguf": CONTENT}, gated=True, readers=["ada"])
    remote = hub_at(server, hub_token="hf_right").resolve(HubFile(REPO, "tiny-Q4_0.gguf"))
    assert (remote.sha256, remote.size, remote.authorization) == (SHA256, len(CONTENT), "")
    assert remote.url == server.cdn.sign(f"{REPO}/tiny-Q4_0.gguf")
    [request] = server.asked("/resolve/")
    assert (request.method, authorization(request)) == ("HEAD", "Bearer hf_right")
    assert not server.cdn.requests


def test_a_small_file_is_fetched_from_the_hub_with_the_token(server: HubServer) -> None:
    server.add(REPO, {"config.json": b"{}"}, private=True, readers=["ada"])
    remote = hub_at(server, hub_token="hf_right").resolve(HubFile(REPO, "config.json"))
    assert (remote.size, remote.sha256) == (2, None)
    assert (remote.url, remote.authorization) == (
        f"{server.url}/{REPO}/resolve/main/config.json",
        "Bearer hf_right",
    )


def test_a_server_without_heads_is_left_to_the_download(server: HubServer) -> None:
    server.heads = False
    server.add(REPO, {"tiny-Q4_0.gguf": CONTENT})
    remote = hub_at(server).resolve(HubFile(REPO, "tiny-Q4_0.gguf"))
    assert remote.url == f"{server.url}/{REPO}/resolve/main/tiny-Q4_0.gguf"
    assert (remote.size, remote.sha256) == (None, None)


def test_the_token_never_follows_a_redirect_to_another_origin(server: HubServer) -> None:
    with HubServer() as other:
        for each in (server, other):
            each.add(REPO, {"tiny-Q4_0.gguf": CONTENT}, card="# Tiny")
        server.elsewhere = other.url
        server.faults, server.always = ["redirect away"], True
        hub = hub_at(server, hub_token="hf_right")
        assert hub.repository(REPO).card == "# Tiny"
        hub.search(HubQuery())
        assert hub.resolve(HubFile(REPO, "tiny-Q4_0.gguf")).sha256 == SHA256
        assert other.requests
        assert not any(map(authorization, [*other.requests, *other.cdn.requests]))
        assert all(map(authorization, server.requests))


def test_a_token_is_tested_by_the_account_it_opens(server: HubServer) -> None:
    hub = hub_at(server)
    assert hub.check_token(" hf_right\n") == "ada"
    with pytest.raises(HubError, match="does not accept your token"):
        hub.check_token("hf_wrong")
    for odd in ("", "hf_\x00", "hf right", "hf_é"):
        with pytest.raises(HubError, match="token"):
            hub.check_token(odd)
    assert len(server.requests) == 2


def test_the_token_of_the_environment_is_not_used(
    server: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_right")
    server.add(REPO, {"tiny-Q4_0.gguf": CONTENT})
    hub = hub_at(server)
    hub.repository(REPO)
    hub.resolve(HubFile(REPO, "tiny-Q4_0.gguf"))
    assert not any(map(authorization, server.requests))


def test_the_token_is_in_no_error_and_no_log(
    server: HubServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    hub = hub_at(server, hub_token="hf_secret")
    with pytest.raises(HubError) as raised:
        hub.repository(REPO)
    assert "hf_secret" not in f"{raised.value!r} {raised.value.__cause__!r}"
    assert "hf_secret" not in caplog.text


def test_settings_count_at_once(server: HubServer) -> None:
    now = [Network(hub_endpoint=server.url, offline=True)]
    server.add(REPO, {})
    hub = Hub(lambda: now[0])
    with pytest.raises(HubError, match="offline"):
        hub.search(HubQuery())
    assert not server.requests
    now[0] = msgspec.structs.replace(now[0], offline=False)
    assert len(hub.search(HubQuery()).found) == 1
    with HubServer() as other:
        now[0] = Network(hub_endpoint=other.url + "/")
        assert hub.search(HubQuery()).found == ()
        assert other.requests


def test_calls_of_several_threads_keep_to_their_own_settings(server: HubServer) -> None:
    with HubServer() as other, ThreadPoolExecutor(8) as threads:
        server.add("here/model-GGUF", {})
        other.add("there/model-GGUF", {})
        asked = [
            threads.submit(hub_at(each).search, HubQuery())
            for _ in range(20)
            for each in (server, other)
        ]
        found = [each.result().found[0].author for each in asked]
    assert found == ["here", "there"] * 20


def test_a_proxy_is_used_at_once(server: HubServer) -> None:
    server.add(REPO, {})
    now = [Network(hub_endpoint="http://localhost:9")]
    hub = Hub(lambda: now[0])
    with pytest.raises(HubError, match="no connection to localhost"):
        hub.search(HubQuery())
    now[0] = msgspec.structs.replace(now[0], proxy=server.url)
    assert len(hub.search(HubQuery()).found) == 1
    assert server.requests[0].path.startswith("http://localhost:9/api/models")


GATED = HubFile("maker/gated-GGUF", "a.gguf")


@pytest.mark.parametrize(
    ("ask", "token", "kind", "words"),
    [
        (lambda hub: hub.resolve(GATED), "", GatedRepository, "Agree on {url}/maker/gated-GGUF"),
        (lambda hub: hub.resolve(GATED), "hf_right", GatedRepository, "account of your token"),
        (lambda hub: hub.repository("maker/gone"), "", HubError, "set a token if it is private"),
        (lambda hub: hub.repository("maker/gone"), "hf_right", HubError, "no repository “maker/gone”"),
        (lambda hub: hub.repository(REPO, "v9"), "", HubError, "no version “v9”"),
        (lambda hub: hub.resolve(HubFile(REPO, "b.gguf")), "", HubError, "no file “b.gguf”"),
        (lambda hub: hub.search(HubQuery()), "hf_old", HubError, "does not accept your token"),
        (lambda hub: hub.repository("just-a-name"), "", HubError, "OWNER/NAME"),
        (lambda hub: hub.repository("../.."), "", HubError, "OWNER/NAME"),
        (lambda hub: hub.repository(REPO, "../main"), "", HubError, "branch"),
        (lambda hub: hub.resolve(HubFile(REPO, "../x.gguf")), "", HubError, "name of a file"),
    ],
)  # fmt: skip
def test_a_refusal_says_what_to_do(
    server: HubServer, ask: Callable[[Hub], object], token: str, kind: type, words: str
) -> None:
    server.add(REPO, {"a.gguf": CONTENT})
    server.add(GATED.repo, {GATED.path: CONTENT}, gated="manual", readers=["grace"])
    with pytest.raises(kind) as raised:
        ask(hub_at(server, hub_token=token))
    assert words.format(url=server.url) in str(raised.value)
