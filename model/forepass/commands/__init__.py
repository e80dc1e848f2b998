"""Subcommands: each module offers its `Command`, light to import; what it runs imports the rest."""
