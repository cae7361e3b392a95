"""The services page: what is connected, what can be, and what is asked before something goes."""

import pytest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.connections.connections import PROVIDERS
from app.connections.records import Connection
from app.secrets import SecretsState
from tests.ui.tab_order import names, tab_stops
from ui.models.services.service_words import ShownService, connect_words
from ui.models.services.services_page import ServicesPage
from ui.theme import Theme

OPENAI = ShownService(
    Connection(
        id="openai",
        provider="openai",
        title="OpenAI",
        url="https://api.openai.com/v1",
        key_place="stored",
    ),
    leaves=True,
    models=54,
)
OLLAMA = ShownService(
    Connection(id="ollama", provider="ollama", title="Ollama", url="http://localhost:11434/v1"),
    leaves=False,
    models=1,
)
KEYRING = SecretsState(place="keyring", usable=True)


@pytest.fixture
def page(theme: Theme, qtbot: QtBot) -> ServicesPage:
    page = ServicesPage(theme)
    qtbot.addWidget(page)
    page.resize(964, 800)
    page.show()
    return page


def words(page: QWidget) -> str:
    QApplication.processEvents()
    return "\n".join(label.text() for label in page.findChildren(QLabel) if label.isVisible())


def press(page: QWidget, name: str) -> None:
    found = [
        b
        for b in page.findChildren(QAbstractButton)
        if b.isVisible() and name in (b.accessibleName(), b.text())
    ]
    found[0].click()


def test_an_empty_page_says_what_services_are_for_and_when_something_is_sent(
    page: ServicesPage,
) -> None:
    assert "No service is connected" in words(page)
    assert "Nothing is sent anywhere before you choose it for a chat." in words(page)


def test_every_service_can_be_connected_and_says_where_everything_goes(
    page: ServicesPage, qtbot: QtBot
) -> None:
    for provider in PROVIDERS:
        assert provider.privacy in words(page)
        with qtbot.waitSignal(page.connect_requested) as asked:
            press(page, connect_words(provider))
        assert asked.args == [provider.id]


def test_what_costs_nothing_stands_first(page: ServicesPage) -> None:
    shown = words(page)
    assert shown.index("Another service") < shown.index("Paid services") < shown.index("OpenAI\n")
    assert "Ollama\nlocalhost:11434\n" in shown


def test_keys_that_are_locked_are_told_where_a_service_needs_one(
    page: ServicesPage, qtbot: QtBot
) -> None:
    locked = SecretsState(place="file", usable=False, locked=True)
    page.show_services((OLLAMA,), locked)
    assert "Your keys are locked." not in words(page)
    page.show_services((OLLAMA, OPENAI), locked)
    assert "Your keys are locked." in words(page)
    with qtbot.waitSignal(page.unlock_requested):
        press(page, "Unlock…")
    page.show_services((OLLAMA, OPENAI), SecretsState(place="file", usable=True))
    assert "Your keys are locked." not in words(page)


def test_a_connected_service_tells_place_models_and_where_its_key_is(page: ServicesPage) -> None:
    page.show_services((OPENAI, OLLAMA), KEYRING)
    shown = words(page)
    assert "No service is connected" not in shown
    assert "OpenAI\nleaves this computer\napi.openai.com · 54 models · key in the keyring" in shown
    assert "Ollama\nlocalhost:11434 · 1 model" in shown
    page.show_services((OPENAI,), SecretsState(place="file", usable=True))
    assert "key in the sealed file" in words(page)


def test_it_is_asked_before_a_service_goes(page: ServicesPage, qtbot: QtBot) -> None:
    page.show_services((OPENAI,), KEYRING)
    with qtbot.assertNotEmitted(page.remove_requested):
        press(page, "Remove OpenAI")
        assert "Its key is forgotten." in words(page)
        press(page, "Keep it")
    assert "Its key is forgotten." not in words(page)
    press(page, "Remove OpenAI")
    with qtbot.waitSignal(page.remove_requested) as asked:
        press(page, "Remove")
    assert asked.args == ["openai"]


def test_what_came_of_asking_stays_though_the_list_is_read_again(page: ServicesPage) -> None:
    page.show_services((OPENAI,), KEYRING)
    row = page.row("openai")
    assert row is not None
    row.show_problem("OpenAI refuses the key.")
    page.show_services((OPENAI, OLLAMA), KEYRING)
    assert "OpenAI refuses the key." in words(page)
    page.show_services((OLLAMA,), KEYRING)
    assert "OpenAI refuses the key." not in words(page)
    assert page.row("openai") is None


def test_the_focus_stays_near_a_row_that_goes(page: ServicesPage, qtbot: QtBot) -> None:
    page.show_services((OLLAMA, OPENAI), KEYRING)
    with qtbot.waitActive(page):
        page.activateWindow()
    row = page.row("openai")
    assert row is not None
    row.stops[0].setFocus()
    page.show_services((OLLAMA,), KEYRING)
    focused = page.focusWidget()
    assert focused is not None
    assert focused.accessibleName() == "Remove Ollama"


def test_the_tab_key_follows_the_eye_whenever_a_row_came(page: ServicesPage) -> None:
    page.show_services((OPENAI,), KEYRING)
    page.show_services((OPENAI, OLLAMA), KEYRING)
    stops = names(tab_stops(page))
    start = stops.index("Ask OpenAI for its models again")
    turned = stops[start:] + stops[:start]
    assert turned[:7] == [
        "Ask OpenAI for its models again",
        "Change OpenAI",
        "Remove OpenAI",
        "Ask Ollama for its models again",
        "Change Ollama",
        "Remove Ollama",
        "Connect Ollama",
    ]


def test_offline_it_says_so_and_leads_to_the_settings(page: ServicesPage, qtbot: QtBot) -> None:
    assert "stays offline" not in words(page)
    page.show_offline(True)
    assert "Causeway stays offline." in words(page)
    with qtbot.waitSignal(page.settings_requested) as asked:
        press(page, "Open the settings")
    assert asked.args == ["Network"]


def test_names_from_outside_are_shown_as_they_are(page: ServicesPage) -> None:
    hostile = Connection(id="x", provider="custom", title="<b>x</b>", url="http://localhost:1/<i>")
    page.show_services((ShownService(hostile, False, 0),), KEYRING)
    assert "<b>x</b>\nlocalhost:1 · no models known" in words(page)
