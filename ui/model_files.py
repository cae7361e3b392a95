"""How a person hands over a model file: a dialog, or a drop."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QMimeData, QStandardPaths, Qt
from PySide6.QtWidgets import QFileDialog, QWidget


def ask_for_model_file(parent: QWidget, on_chosen: Callable[[str], None]) -> None:
    """Open the platform's dialog; `on_chosen`, a method of the parent, gets the path."""
    tr = QCoreApplication.translate
    dialog = QFileDialog(parent, tr("ModelFiles", "Choose a model file"))
    # Else it opens where the program was started, which is no place that a person knows.
    dialog.setDirectory(
        QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DownloadLocation)
    )
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.setNameFilters(
        [tr("ModelFiles", "Model files (*.gguf)"), tr("ModelFiles", "All files (*)")]
    )
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.fileSelected.connect(on_chosen)
    dialog.open()


def dropped_model_files(data: QMimeData) -> tuple[Path, ...]:
    """The local `.gguf` files that are being dragged; none where something else is among them."""
    paths = tuple(Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile())
    if len(paths) != len(data.urls()):
        return ()
    return paths if all(path.suffix.lower() == ".gguf" for path in paths) else ()
