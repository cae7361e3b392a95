"""How the window says that what is written goes to somebody else's computer."""

from PySide6.QtCore import QCoreApplication

from app.models import ChatModel, OfferedModel

LEAVES_ICON = "cloud-arrow-up"


def leaves(model: ChatModel | None) -> bool:
    """Whether what is asked of the model leaves this computer."""
    return isinstance(model, OfferedModel) and model.leaves


def leaves_words() -> str:
    """The badge."""
    return _tr("leaves this computer")


def goes_words(model: ChatModel | None) -> str:
    """To whom it goes; empty where it goes nowhere."""
    if not isinstance(model, OfferedModel) or not model.leaves:
        return ""
    return _tr("What you write goes to {source}.").format(source=model.source)


def _tr(text: str) -> str:
    return QCoreApplication.translate("Leaving", text)
