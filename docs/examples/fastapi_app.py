"""Sign-in codes by mail with FastAPI: the Mailer with await, opened and closed with the application.

In one terminal `authmail sandbox`, in another `uvicorn --app-dir docs/examples fastapi_app:app`.
"""

import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from answers import answer_for
from codes import is_right, new_code
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from authmail import Egress, Mailer, Message, Receipt, SendError, Template

# The sandbox's settings. For real mail: your own config from where you store it, and no egress=.
CONFIG = {
    "accessKeyId": "sandbox-access-key",
    "accessKeySecret": "sandbox-secret",
    "accountName": "no-reply@mail.sandbox.example",
    "endpoint": os.environ.get("MAIL_ENDPOINT", "http://127.0.0.1:8026"),
}
TEMPLATES = [Template("SignIn", "{{code}} is your sign-in code", "<p>Hello,</p><p>your code is <b>{{code}}</b>.</p>")]
log = logging.getLogger("uvicorn.error")


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open one Mailer for all requests; close it after the last one."""
    async with Mailer("aliyun-dm", CONFIG, templates=TEMPLATES, egress=Egress.ANY, timeout=8) as mailer:
        app.state.mailer = mailer
        yield


app = FastAPI(lifespan=lifespan)


class Ask(BaseModel):
    """Who wants a code."""

    email: str


class SignIn(BaseModel):
    """Who has one."""

    email: str
    code: str


@app.post("/code")
async def ask_for_code(ask: Ask, request: Request) -> JSONResponse:
    """Mail a code."""
    outcome: Receipt | SendError
    try:
        outcome = await request.app.state.mailer.send(Message(ask.email, "SignIn", {"code": new_code(ask.email)}))
    except SendError as error:
        outcome = error
    answer = answer_for(outcome)
    if answer.alert:
        log.error("mail: %s", outcome)
    headers = {} if answer.retry_after is None else {"Retry-After": str(answer.retry_after)}
    return JSONResponse({"text": answer.text}, answer.status, headers)


@app.post("/sign-in")
async def sign_in(given: SignIn) -> JSONResponse:
    """Sign in."""
    if is_right(given.email, given.code):
        return JSONResponse({"text": "Welcome."})
    return JSONResponse({"text": "This code is not right, or too old."}, 403)
