"""The checks, a module for each block of rules."""
