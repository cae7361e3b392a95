"""The ways in which llama.cpp can store weights. Pure data: nothing native is imported."""

import msgspec


class Quant(msgspec.Struct, frozen=True):
    """`file_type` is llama.cpp's number for it; `bits` of a weight, about, over a whole model.

    With `needs_matrix` it can't be made without an importance matrix.
    """

    name: str
    file_type: int
    bits: float
    help: str = ""
    needs_matrix: bool = False


QUANTS: tuple[Quant, ...] = (
    Quant("F32", 0, 32.0, "Every weight exact; for tools."),
    Quant("BF16", 32, 16.0, "Nothing lost of a model that was trained so."),
    Quant("F16", 1, 16.0, "Nothing lost that one would notice."),
    Quant("Q8_0", 7, 8.5, "Practically as good as the original."),
    Quant("Q6_K", 18, 6.57, "Very close to the original."),
    Quant("Q5_K_M", 17, 5.7, "Good, and smaller."),
    Quant("Q5_K_S", 16, 5.57),
    Quant("Q5_1", 9, 6.0),
    Quant("Q5_0", 8, 5.57),
    Quant("Q4_K_M", 15, 4.89, "What most people want: small and good."),
    Quant("Q4_K_S", 14, 4.67),
    Quant("Q4_1", 3, 5.1),
    Quant("Q4_0", 2, 4.66, "Quick on processors."),
    Quant("IQ4_NL", 25, 4.67),
    Quant("IQ4_XS", 30, 4.46),
    Quant("Q3_K_L", 13, 4.3),
    Quant("Q3_K_M", 12, 4.0, "Where memory is short."),
    Quant("Q3_K_S", 11, 3.64),
    Quant("IQ3_M", 27, 3.76),
    Quant("IQ3_S", 26, 3.66),
    Quant("IQ3_XS", 22, 3.5),
    Quant("IQ3_XXS", 23, 3.25, needs_matrix=True),
    Quant("Q2_K", 10, 3.16, "The smallest; answers get visibly worse."),
    Quant("Q2_K_S", 21, 2.96, needs_matrix=True),
    Quant("IQ2_M", 29, 2.93, needs_matrix=True),
    Quant("IQ2_S", 28, 2.74, needs_matrix=True),
    Quant("IQ2_XS", 20, 2.59, needs_matrix=True),
    Quant("IQ2_XXS", 19, 2.38, needs_matrix=True),
    Quant("IQ1_M", 31, 2.15, needs_matrix=True),
    Quant("IQ1_S", 24, 2.0, needs_matrix=True),
    Quant("TQ2_0", 37, 2.06, "For models that were trained with three values only."),
    Quant("TQ1_0", 36, 1.69, "For models that were trained with three values only."),
)

UNQUANTIZED = ("F32", "F16", "BF16")


def quant_named(name: str) -> Quant | None:
    wanted = name.strip().upper()
    return next((quant for quant in QUANTS if quant.name == wanted), None)
