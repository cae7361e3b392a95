"""Formulas are drawn in the background; what can't be drawn, or would take long, is not tried."""

import pytest

from ui.messages.mathematics import LONGEST, FormulaImage, FormulaStyle, drawable

STYLE = FormulaStyle(16, "#102030", 2.0, None)
DEEP = r"x_{y_{z}} + \frac{1}{2_{3}}"


def drawn(qtbot, formulas, tex, style=STYLE):
    if formulas.find(tex, style) == "pending":
        with qtbot.waitSignal(formulas.drawn, timeout=60_000):
            pass
    return formulas.find(tex, style)


def test_a_formula_is_drawn_in_its_colour_at_the_screens_ratio(qtbot, formulas):
    found = drawn(qtbot, formulas, r"\frac{a}{b}")
    assert isinstance(found, FormulaImage)
    assert found.image.devicePixelRatio() == 2
    assert abs(found.image.width() - found.width * 2) <= 1
    opaque = [
        found.image.pixelColor(x, y)
        for x in range(found.image.width())
        for y in range(found.image.height())
        if found.image.pixelColor(x, y).alpha() == 255
    ]
    assert {color.name() for color in opaque} == {"#102030"}


def test_an_inline_formula_reaches_down_to_the_descent_of_the_text(qtbot, formulas):
    inline = drawn(qtbot, formulas, "x", STYLE._replace(descent=4))
    alone = drawn(qtbot, formulas, "x", STYLE)
    assert inline.height > alone.height


def test_a_deep_inline_formula_reaches_further_down_than_the_text(qtbot, formulas):
    inline = STYLE._replace(descent=4)
    flat, deep = drawn(qtbot, formulas, "x", inline), drawn(qtbot, formulas, DEEP, inline)
    assert flat.below == 4
    assert deep.below > 4
    # Above the baseline it is as high as it is on its own: nothing of it floats.
    alone = drawn(qtbot, formulas, DEEP, STYLE)
    assert deep.height - deep.below <= alone.height


@pytest.mark.parametrize("tex", [r"\frac{1}{", r"\left(", r"\begin{matrix}"])
def test_a_bad_formula_is_called_bad(qtbot, formulas, tex):
    assert drawn(qtbot, formulas, tex) == "bad"


@pytest.mark.parametrize(
    "bomb",
    [
        "x" * (LONGEST + 1),
        r"\frac{1}{" * 20 + "x" + "}" * 20,
        r"\sqrt{" * 20 + "x" + "}" * 20,
        r"\left(" * 20 + "x" + r"\right)" * 20,
        "{" * 100,
        "x^{" * 20 + "x" + "}" * 20,
        " ",
    ],
)
def test_a_bomb_is_not_tried(formulas, bomb):
    assert not drawable(bomb)
    assert formulas.find(bomb, STYLE) == "bad"


def test_formulas_of_the_usual_depth_are_tried():
    assert drawable(r"\frac{\sum_{i=1}^{n} x_i}{\sqrt{\sigma^2 + \epsilon_{i}}}")


def test_a_formula_of_enormous_size_is_not_shown(qtbot, formulas):
    assert drawn(qtbot, formulas, r"\hspace{100000em}x") == "bad"
