"""A model may write any address: the person sees it whole before it is opened."""

from PySide6.QtCore import QCoreApplication, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QMessageBox, QWidget

ALLOWED_SCHEMES = ("http", "https", "mailto")


def ask_before_opening(parent: QWidget, address: str) -> None:
    """Show the address; open it in the platform's browser if the person agrees."""
    url = QUrl(address, QUrl.ParsingMode.StrictMode)
    if not url.isValid() or url.scheme() not in ALLOWED_SCHEMES:
        return
    tr = QCoreApplication.translate
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(tr("Links", "Open this address in your browser?"))
    # Encoded, so that look-alike letters and right-to-left marks can't disguise it.
    shown = bytes(url.toEncoded().data()).decode("ascii", errors="replace")
    box.setInformativeText(shown if len(shown) <= 400 else f"{shown[:400]}…")
    open_ = box.addButton(tr("Links", "Open"), QMessageBox.ButtonRole.AcceptRole)
    copy = box.addButton(tr("Links", "Copy"), QMessageBox.ButtonRole.ActionRole)
    box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(QMessageBox.StandardButton.Cancel)

    def act(button: object) -> None:
        if button is open_:
            QDesktopServices.openUrl(url)
        elif button is copy:
            QGuiApplication.clipboard().setText(shown)

    box.buttonClicked.connect(act)
    box.open()
