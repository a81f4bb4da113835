"""What the attacks share."""

import asyncio
from contextlib import asynccontextmanager

from authmail import Message, Template

HTTP = "http-email"
ALIYUN = "aliyun-direct-mail"
SMTP = "simple-mail-transfer-protocol"
TEMPLATES = [Template("Generic", "{{code}} is your code", "<p>Hello, your code is <b>{{code}}</b>.</p>")]
CODE = Message("zoe@example.com", "SignIn", {"code": "482913"})


@asynccontextmanager
async def longest_stall():
    """Measure, in a list, the longest time for which the loop did nothing else within the block."""
    loop = asyncio.get_running_loop()
    stalls = [0.0]

    async def watch():
        while True:
            before = loop.time()
            await asyncio.sleep(0.001)
            stalls[0] = max(stalls[0], loop.time() - before)

    task = asyncio.create_task(watch())
    await asyncio.sleep(0.01)
    stalls[0] = 0.0
    try:
        yield stalls
        await asyncio.sleep(0.01)
    finally:
        task.cancel()
