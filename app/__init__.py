"""What the program does, without a window: conversations, turns, settings, the command line."""
