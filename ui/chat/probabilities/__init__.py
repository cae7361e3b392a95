"""How sure the model was of each token of an answer, shown as a heat."""
