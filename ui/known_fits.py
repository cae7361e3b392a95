"""Whether installed models fit this computer."""

from catalog.fit.fit import Fit
from catalog.library import InstalledModel
from ui.known import Known


class KnownFits(Known[Fit]):
    """Found out for those that are shown."""

    def of(self, model: InstalledModel) -> Fit | None:
        """What is known; None while it is being found out, where it can't be, and of adapters."""
        return None if model.kind == "adapter" else super().of(model)
