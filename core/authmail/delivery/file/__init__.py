"""``authmail.toml``: what it may say, and the delivery that it describes."""
