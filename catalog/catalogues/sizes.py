"""How large a file of the catalogue will be, as far as anyone has said."""

from catalog.catalogues.entries import Artifact, Entry

_BITS_PER_WEIGHT = {
    "F32": 32.0,
    "F16": 16.0,
    "BF16": 16.0,
    "Q8_0": 8.5,
    "Q6_K": 6.57,
    "Q5_K_M": 5.69,
    "Q5_K_S": 5.54,
    "Q5_1": 6.0,
    "Q5_0": 5.54,
    "Q4_K_M": 4.85,
    "Q4_K_S": 4.58,
    "Q4_1": 5.0,
    "Q4_0": 4.55,
    "IQ4_NL": 4.5,
    "IQ4_XS": 4.25,
    "MXFP4": 4.6,
    "Q3_K_L": 4.27,
    "Q3_K_M": 3.91,
    "Q3_K_S": 3.5,
    "IQ3_M": 3.66,
    "Q2_K": 3.35,
    "IQ2_M": 2.7,
    "IQ1_M": 1.75,
    "IQ1_S": 1.6,
}


def bits_per_weight(quant: str) -> float:
    """What a weight takes in a file of that quant, usual models taken together; 0 if unknown.

    Above the quant's own number, since embeddings and norms are kept finer.
    """
    return _BITS_PER_WEIGHT.get(quant.upper().removeprefix("UD-"), 0.0)


def expected_bytes(entry: Entry, artifact: Artifact) -> tuple[int, bool]:
    """The size of the file, all parts together, and whether it is exact.

    0 where neither a size nor the number of parameters is known.
    """
    if artifact.size_bytes is not None:
        return artifact.size_bytes, True
    if artifact.about_bytes is not None:
        return artifact.about_bytes, False
    if artifact.role == "projector":  # the entry's parameters are those of its weights
        return 0, False
    bits = artifact.bits or bits_per_weight(artifact.quant)
    return int(entry.parameters * bits / 8), False
