"""What lists say of installed adapters."""

from app.adapters import AdapterGlance
from catalog.library import InstalledModel
from ui.known import Known


class KnownAdapters(Known[AdapterGlance]):
    """Found out for those that are shown."""

    def of(self, model: InstalledModel) -> AdapterGlance | None:
        """What is known; None while it is being found out, where it can't be, and of models."""
        return super().of(model) if model.kind == "adapter" else None
