"""Who answers: one engine per sub-package, behind the protocol in `backends.protocol`."""
