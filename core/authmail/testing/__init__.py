"""Tools for tests of connectors and hosts."""
