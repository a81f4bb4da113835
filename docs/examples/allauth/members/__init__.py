"""The example's settings, addresses and pages."""
