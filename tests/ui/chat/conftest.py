"""The look, applied as the program applies it."""

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication

from ui.theme import Theme


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    theme = Theme("light")
    theme.apply(qapp)
    yield theme
    theme.deleteLater()
