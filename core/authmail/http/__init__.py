"""How it goes out: HTTP and sockets, egress, faults."""
