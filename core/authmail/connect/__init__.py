"""The contract: hooks, metadata, installed connectors."""
