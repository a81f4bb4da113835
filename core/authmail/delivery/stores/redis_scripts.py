"""What a Redis server does for one trip: scripts in ``lua/``, each atomic.

They count as :mod:`~authmail.delivery.stores.window` and give turns as :mod:`~authmail.delivery.stores.turns`; a test compares all stores.

Keys: ``PREFIX:version``; ``PREFIX:e:KEY``, the hash of an entry; ``PREFIX:c:KEY``, the sorted set of an exact limit's times, by token;
``PREFIX:s:KEY``, the hash of a larger one's slices; ``PREFIX:n:KEY``, a note; ``PREFIX:t:KEY``, a row of places. Each expires; whether
something is over is told by what stands in it, and the key has a minute to spare.
"""

import hashlib
from importlib.resources import files

import attrs

from authmail.delivery.stores.turns import KEPT
from authmail.delivery.stores.window import SLICES

#: Stands at ``PREFIX:version``. A release reads and writes its own and the one before.
VERSION = 1

#: What a user needs besides the keys, as ACL SETUSER takes it: the commands of the scripts, and those that run them.
RIGHTS = "+eval +evalsha +time +get +set +del +pexpire +hget +hset +hmget +hgetall +hdel +hincrby +zadd +zrem +zcount +zrange +zremrangebyscore"

_LUA = files("authmail.delivery.stores") / "lua"


@attrs.frozen
class Script:
    """A script, and the name that the server has for it once it has seen it.

    Args:
        text: Lua.
    """

    text: str
    sha: str = attrs.field(init=False)

    @sha.default
    def _hash(self) -> str:
        return hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()


def _read(name: str) -> Script:
    constants = f"local SLICES, KEPT = {SLICES}, {KEPT}\n"
    return Script(constants + "".join((_LUA / f"{part}.lua").read_text("utf-8") for part in ("common", name)))


BEGIN, END, ANSWER, NOTE = map(_read, ("begin", "end", "answer", "note"))
