"""Where keys are kept: the dialogs and words that settings and services share."""
