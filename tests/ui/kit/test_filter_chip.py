from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from ui.kit.filter_chip import FilterChip


def test_a_click_and_the_space_key_turn_it_on_and_off(qtbot, theme):
    chip = FilterChip(theme, "Small")
    qtbot.addWidget(chip)
    chip.show()
    with qtbot.waitSignal(chip.toggled) as said:
        qtbot.mouseClick(chip, Qt.MouseButton.LeftButton)
    assert said.args == [True]
    QTest.keyClick(chip, Qt.Key.Key_Space)
    assert not chip.isChecked()


def test_it_makes_room_for_its_check_mark(qtbot, theme):
    chip = FilterChip(theme, "Small")
    qtbot.addWidget(chip)
    before = chip.sizeHint().width()
    chip.setChecked(True)
    assert chip.sizeHint().width() > before
    assert chip.accessibleName() == "Small"
