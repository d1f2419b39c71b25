"""Commands for developers, run as `python -m praxis.runtime.tooling.<name>`; the Makefile names them."""
