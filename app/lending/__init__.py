"""One model for all processes of a home: who has it loaded lends it to the others."""
