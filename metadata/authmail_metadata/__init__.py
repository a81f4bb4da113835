"""Names, guides and logos of authmail's own connectors, as data files."""
