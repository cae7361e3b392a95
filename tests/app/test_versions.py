from app.versions import installed_version


def test_a_part_without_metadata_has_no_version() -> None:
    assert installed_version("causeway")
    assert installed_version("no-such-part-of-causeway") == ""
