"""How large a file will be before it is here, as far as anyone has said."""

import re

from catalog.catalogues.entries import Artifact, Entry
from catalog.hub.records import QuantFiles, Repository

_DIGIT = re.compile(r"I?T?Q([1-8])_")
_WITH_SCALES = 0.6  # bits that a quant's scales and finer tensors take on top

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
    name = quant.upper().removeprefix("UD-")
    known = _BITS_PER_WEIGHT.get(name)
    if known is None and (digit := _DIGIT.match(name)):
        return int(digit[1]) + _WITH_SCALES
    return known or 0.0


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


def expected_group_bytes(repository: Repository, group: QuantFiles) -> tuple[int, bool]:
    """The size of a quant of a repository, all parts together, and whether it is exact.

    A mirror may not tell sizes: then it goes by the quant's name and the number of parameters, and
    is 0 where these are unknown.
    """
    if group.size_bytes is not None:
        return group.size_bytes, True
    parameters = repository.parameters if group in repository.quants else 0
    return int(parameters * bits_per_weight(group.quant) / 8), False
