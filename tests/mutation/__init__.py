"""Mutation testing: whether the tests notice when a token of the code they test is changed (`make mutate`).

The operators are those of mutmut. mutmut itself mutates only undecorated functions, and replaces them after the
import; here most of what matters is in module-level tables, in the defaults of dataclasses and in properties, which
is why this driver exists. ``source`` makes the mutants, ``coverage_map`` finds the tests that run a line,
``workers`` runs each mutant in a forked process, ``report`` counts, and ``accepted.toml`` has the mutants that
change nothing, each with the reason.
"""
