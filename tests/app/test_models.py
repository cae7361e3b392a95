import msgspec
import pytest

from app.errors import AppError
from app.models import Models, OfferedModel
from catalog.errors import BadModelFile, UnknownModel
from tests.gguf_files import write_model


def offered(id_: str, *, embeds: bool = False) -> OfferedModel:
    source, _, model = id_.partition(":")
    return OfferedModel(
        id=id_, name=model, backend=source, model=model, source=source, leaves=True, embeds=embeds
    )


@pytest.fixture
def models(library):
    offers = [offered("openai:gpt-4o"), offered("openai:vectors", embeds=True)]
    return Models(library, (lambda: offers,))


def test_files_and_offers_are_found_by_their_ids(models, model):
    assert models.find(model.id) == model
    assert models.find("openai:gpt-4o").source == "openai"
    assert models.find(str(model.path)) == model


def test_those_that_chat_and_those_that_make_vectors_are_told_apart(models, model):
    assert [each.id for each in models.writers()] == [model.id, "openai:gpt-4o"]
    assert [each.id for each in models.embedders()] == ["openai:vectors"]


def test_a_model_that_a_service_no_longer_lists_is_named_with_what_to_do(models):
    with pytest.raises(UnknownModel, match="openai lists no model called “gpt-1”") as error:
        models.find("openai:gpt-1")
    assert "page Services" in error.value.fix


@pytest.mark.parametrize(
    "id_", ["nobody:knows", "gone:deepseek/deepseek-r1", "gone:/models/tiny.gguf"]
)
def test_what_nobody_knows_is_unknown(models, id_):
    with pytest.raises(UnknownModel):
        models.find(id_)


def test_a_file_that_is_not_there_is_said_to_be_none(models, tmp_path):
    with pytest.raises(BadModelFile, match="no file"):
        models.find(str(tmp_path / "gone.gguf"))


def test_the_last_choice_is_the_default_and_a_file_comes_before_a_service(models, model):
    assert models.default("") == model
    assert models.default("openai:gpt-4o").id == "openai:gpt-4o"
    assert models.default_installed("openai:gpt-4o") == model


@pytest.fixture
def base_model(library, tmp_path):
    """It comes first by name, and has no template for chats."""
    return library.add_file(write_model(tmp_path / "a-base.gguf", template=None, seed=5))


def test_what_only_completes_text_is_no_default_while_a_chat_model_is_here(
    library, model, base_model
):
    models = Models(library, ())
    assert library.models()[0] == base_model
    assert models.writers() == (model, base_model)
    assert models.default("") == models.default_installed("") == model
    assert models.default("gone") == model


def test_what_only_completes_text_can_be_chosen_by_hand(library, model, base_model):
    models = Models(library, ())
    assert models.default(base_model.id) == models.default_installed(base_model.id) == base_model


@pytest.mark.parametrize(("leaves", "default"), [(False, "near:chat"), (True, "a-base")])
def test_a_service_is_the_default_before_a_base_model_if_nothing_leaves(
    library, base_model, leaves, default
):
    offer = msgspec.structs.replace(offered("near:chat"), leaves=leaves)
    assert Models(library, (lambda: [offer],)).default("").id == default
    assert Models(library, (lambda: [offer],)).default_installed("") == base_model


def test_with_nothing_at_all_there_is_no_default(library):
    with pytest.raises(AppError, match="No model is installed"):
        Models(library, ()).default("")
