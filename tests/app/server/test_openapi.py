"""What /openapi.json says is so, whatever is asked."""

import warnings
from html.parser import HTMLParser

import jsonschema
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from app.server import own_pages
from app.server.apis import APIS
from app.server.operations import Operation
from tests.app.server.conftest import Served

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of what it imports
    import schemathesis
    from schemathesis.specs.openapi.checks import positive_data_acceptance

_BOUND = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


ROOMS = {
    "Causeway": own_pages.OPERATIONS,
    **{api.title: api.operations for api in APIS},
}


@pytest.mark.parametrize("operations", ROOMS.values(), ids=ROOMS)
def test_every_answer_is_as_described(server: Served, operations: tuple[Operation, ...]):
    schema = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
    wanted = {(operation.path, operation.method) for operation in operations}
    tried = set()
    for result in schema.get_all_operations():
        operation = result.ok()
        place = (operation.path, operation.method.upper())
        if place not in wanted:
            continue
        tried.add(place)

        @_BOUND
        @given(case=operation.as_strategy())
        def ask(case: schemathesis.Case) -> None:
            answer = case.call()
            assert answer.status_code not in (500, 502), answer.text
            # A schema can't say everything that a request has to be.
            case.validate_response(answer, excluded_checks=[positive_data_acceptance])

        ask()
    # The tool leaves out where it read the description.
    assert tried == wanted - {("/openapi.json", "GET")}


def test_the_description_is_whole(server: Served):
    with server.client() as client:
        document = client.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    names = set(document["components"]["schemas"])
    for reference in _references(document):
        assert reference.removeprefix("#/components/schemas/") in names
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_the_page_shows_every_path_and_fetches_nothing(server: Served):
    with server.client() as client:
        document = client.get("/openapi.json").json()
        answer = client.get("/docs")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    page = _Page()
    page.feed(answer.text)
    assert all(path in answer.text for path in document["paths"])
    assert page.fetched == []


class _Page(HTMLParser):
    """Notes what a browser would fetch or run."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag in ("script", "img", "link", "iframe") or any(name == "src" for name, _ in attrs):
            self.fetched.append(tag)


def _references(value) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [each for child in value.values() for each in _references(child)]
    if isinstance(value, list):
        return [each for child in value for each in _references(child)]
    return []
