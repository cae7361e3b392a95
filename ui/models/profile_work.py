"""What the profiles in the panel of a model ask of the program's parts."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.adapters import AdapterChoice
from app.errors import problem_from
from app.profiles import Profile
from catalog.library import InstalledModel
from ui.background import Background
from ui.chat.adapters.offers import AdapterOffer
from ui.models.model_profiles import ModelProfiles

if TYPE_CHECKING:
    from app.services import Services


class ProfileWork(QObject):
    """Reads and writes the profiles of the model that is shown, one after the other.

    Signals:
        adapters_requested: the person looks for adapters that are not here yet.
    """

    adapters_requested = Signal()

    def __init__(
        self, background: Background, services: "Services", profiles: ModelProfiles
    ) -> None:
        super().__init__(profiles)
        self._background = background
        self._services = services
        self._view = profiles
        self._shown: tuple[Profile, ...] = ()
        self._model: InstalledModel | None = None
        profiles.use_requested.connect(self._use_profile)
        profiles.create_requested.connect(self._create_profile)
        profiles.rename_requested.connect(self._rename_profile)
        profiles.duplicate_requested.connect(self._duplicate_profile)
        profiles.remove_requested.connect(self._remove_profile)
        profiles.save_requested.connect(self._save_profile)
        profiles.options.adapters.offers_wanted.connect(self._read_offers)
        profiles.options.adapters.find_requested.connect(self.adapters_requested)

    def show(self, model: InstalledModel | None) -> None:
        """Show those of this model; None for something that has none."""
        self._view.flush()
        before, self._model = self._model, model
        if before is None or model is None or before.path != model.path:
            self._view.show_profiles(())
            self._view.options.adapters.show_offers(None)
        if model is not None:
            self._read_profiles(model)
            self._read_offers()

    def read_again(self) -> None:
        """Show them as they are now: they may have been changed elsewhere."""
        model = self._model
        if model is None:
            return

        def show(profiles: tuple[Profile, ...]) -> None:
            if profiles != self._shown:  # else what is being typed would be lost for nothing
                self._show_profiles(model, profiles)

        read = partial(self._services.profiles.of, model.id)
        self._background.run_in_order(self, read, show, self._refuse_profile)

    def _read_offers(self) -> None:
        """What of the adapters that are here a profile of the model can have."""
        model = self._model
        if model is None:
            return

        def show(choices: tuple[AdapterChoice, ...]) -> None:
            if model is self._model:
                offers = [_offer_of(choice) for choice in choices]
                self._view.options.adapters.show_offers(offers)

        read = partial(self._services.adapters.for_model, model)
        self._background.run(self, read, show, self._refuse_profile)

    def _use_profile(self, profile_id: str) -> None:
        profiles = self._services.profiles
        self._change_profiles(lambda model: profiles.use(model.id, profile_id or None))

    def _create_profile(self, name: str) -> None:
        profiles = self._services.profiles

        def create(model: InstalledModel) -> None:
            profiles.use(model.id, profiles.create(model.id, name).id)

        self._change_profiles(create)

    def _rename_profile(self, profile_id: str, name: str) -> None:
        self._change_profiles(lambda model: self._services.profiles.rename(profile_id, name))

    def _duplicate_profile(self, profile_id: str) -> None:
        profiles = self._services.profiles

        def duplicate(model: InstalledModel) -> None:
            profiles.use(model.id, profiles.duplicate(profile_id).id)

        self._change_profiles(duplicate)

    def _remove_profile(self, profile_id: str) -> None:
        self._change_profiles(lambda model: self._services.profiles.remove(profile_id))

    def _save_profile(self, profile_id: str, options: dict[str, object]) -> None:
        self._change_profiles(lambda model: self._services.profiles.save(profile_id, options))

    def _change_profiles(self, change: Callable[[InstalledModel], object]) -> None:
        """One after the other, since each writes the file."""
        model = self._model
        if model is None:
            return

        def work() -> tuple[Profile, ...]:
            change(model)
            return self._services.profiles.of(model.id)

        show = partial(self._show_profiles, model)
        self._background.run_in_order(self, work, show, self._refuse_profile)

    def _read_profiles(self, model: InstalledModel) -> None:
        read = partial(self._services.profiles.of, model.id)
        show = partial(self._show_profiles, model)
        self._background.run_in_order(self, read, show, self._refuse_profile)

    def _show_profiles(self, model: InstalledModel, profiles: tuple[Profile, ...]) -> None:
        if self._model is not None and self._model.id == model.id:
            self._shown = profiles
            self._view.show_profiles(profiles)

    def _refuse_profile(self, error: Exception) -> None:
        problem = problem_from(error)
        if problem is None:
            raise error
        self._view.show_problem(problem.sentence())


def _offer_of(choice: AdapterChoice) -> AdapterOffer:
    """Without its trigger words: there is no message here to put them into."""
    adapter, fit = choice.adapter, choice.fit
    return AdapterOffer(adapter.id, adapter.name, adapter.size_bytes, fit.fits, fit.reason)
