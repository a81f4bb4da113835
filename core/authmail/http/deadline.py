"""How long things may take, said once."""

#: Seconds that a message may take, all in all, where nobody says otherwise.
DEFAULT_TIMEOUT = 10.0
#: Seconds below which no attempt is begun, since it could not end in time.
SHORTEST_ATTEMPT = 0.1
#: Seconds that a connection may take to come about; less, where the message has less.
CONNECT_LIMIT = 5.0
