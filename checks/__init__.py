"""Checks of the source that no linter makes; ``make check`` runs them."""
