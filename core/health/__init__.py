"""Whether what we depend on answers: fixed words for everybody, reasons only in the log."""
