"""The email layer of auth servers."""
