"""One connection to an SMTP server: opening it, and a mail over it."""
