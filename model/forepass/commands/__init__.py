"""Subcommands: each module offers ``add_parser`` (light) and ``run`` (imports what it needs)."""
