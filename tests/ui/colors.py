"""How well one colour can be told from another, by the formula of WCAG 2."""

from PySide6.QtGui import QColor, QImage


def contrast(one: QColor, other: QColor) -> float:
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def over(top: QColor, ground: QColor) -> QColor:
    """A translucent colour laid over an opaque one."""
    alpha = top.alphaF()
    mixed = [
        alpha * a + (1 - alpha) * b
        for a, b in zip(top.getRgbF()[:3], ground.getRgbF()[:3], strict=True)
    ]
    return QColor.fromRgbF(*mixed)


def colors_in(image: QImage) -> set[str]:
    """Every colour of a small picture, as `#rrggbb`."""
    return {
        image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())
    }


def _luminance(color: QColor) -> float:
    red, green, blue = (_linear(part) for part in color.getRgbF()[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4
