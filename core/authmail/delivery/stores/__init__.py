"""Where limits and answers are kept: in memory, or in a file that the processes of one machine share."""

from authmail.delivery.stores.memory import MemoryStore
from authmail.delivery.stores.sqlite import SQLiteStore
from authmail.delivery.stores.store import Begun, Claim, Entry, Limit, Note, Store, StoreError, Turn, asked

__all__ = ["Begun", "Claim", "Entry", "Limit", "MemoryStore", "Note", "SQLiteStore", "Store", "StoreError", "Turn", "asked"]
