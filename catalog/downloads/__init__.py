"""Getting files onto this computer: whole, verified, and through whatever befalls the connection."""
