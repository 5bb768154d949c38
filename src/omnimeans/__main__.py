"""``python -m omnimeans`` is the command line."""

from omnimeans.cli import app

app()
