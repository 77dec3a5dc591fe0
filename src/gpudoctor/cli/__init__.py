"""The command line: one thin file a command, loaded only when that command is called."""
