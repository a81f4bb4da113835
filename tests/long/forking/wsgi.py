"""A plain WSGI application, for gunicorn. With ``--preload`` it sends before the workers are forked, if ``AUTHMAIL_FIRST`` says what."""

import json
import os

from forking import answering

from authmail.delivery.sync import load

answering.listen()
deliveries = [load(file) for file in answering.files()]
if first := os.environ.get("AUTHMAIL_FIRST"):
    first_answer = answering.send(deliveries, json.loads(first))


def application(environ, start_response):
    """Answer one ask."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    content = json.dumps(answering.send(deliveries, json.loads(body)) if body else {}).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(content)))])
    return [content]
