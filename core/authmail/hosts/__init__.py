"""Auth servers that people write in Python, each from its form to the inbox: a module for each, which imports its framework.

``authmail.hosts.fastapi_users``, ``.flask_security``, ``.supertokens``, and others: see docs/hosts.md.
"""
