"""How much work something is, whatever else the machine does: processor time, the least of several tries."""

import time


def cpu_seconds(call, tries=3):
    """Return the processor seconds of this process that a call takes at the least."""

    def once():
        before = time.process_time()
        call()
        return time.process_time() - before

    return min(once() for _ in range(tries))
