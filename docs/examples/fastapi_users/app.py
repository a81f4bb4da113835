"""FastAPI Users, from its forms to the inbox: sign-up, reset, notices, and sign-in by code.

In one terminal `authmail sandbox`, in another `uvicorn --app-dir docs/examples/fastapi_users app:app`.
"""

import os
import secrets
import time
import uuid
from collections.abc import AsyncIterator
from hmac import compare_digest
from pathlib import Path
from typing import Annotated, Any

import attrs
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi_users import BaseUserManager, FastAPIUsers, UUIDIDMixin
from fastapi_users.authentication import AuthenticationBackend, BearerTransport, JWTStrategy
from fastapi_users.db import BaseUserDatabase
from fastapi_users.exceptions import UserNotExists
from fastapi_users.schemas import BaseUser, BaseUserCreate, BaseUserUpdate
from pydantic import BaseModel, EmailStr

from authmail.hosts.fastapi_users import UserManagerMixin

SECRET = "an example signs its tokens with this text"  # noqa: S105 (as it says; yours comes from where you keep secrets)
SITE = os.environ.get("SITE", "http://127.0.0.1:8000")


@attrs.define
class User:
    """An account."""

    id: uuid.UUID
    email: str
    hashed_password: str
    is_active: bool = True
    is_superuser: bool = False
    is_verified: bool = False


class Users(BaseUserDatabase[User, uuid.UUID]):
    """Accounts in this process's memory; yours are in a database, with the adapter of FastAPI Users."""

    def __init__(self) -> None:
        self._users: dict[uuid.UUID, User] = {}

    async def get(self, id: uuid.UUID) -> User | None:  # noqa: A002 (FastAPI Users' name)
        """Return the account of an id."""
        return self._users.get(id)

    async def get_by_email(self, email: str) -> User | None:
        """Return the account of an address, whatever the case."""
        return next((user for user in self._users.values() if user.email.lower() == email.lower()), None)

    async def create(self, create_dict: dict[str, Any]) -> User:
        """Add an account."""
        user = User(id=uuid.uuid4(), **create_dict)
        self._users[user.id] = user
        return user

    async def update(self, user: User, update_dict: dict[str, Any]) -> User:
        """Change an account."""
        for name, value in update_dict.items():
            setattr(user, name, value)
        return user


class UserManager(UserManagerMixin[User, uuid.UUID], UUIDIDMixin, BaseUserManager[User, uuid.UUID]):
    """What FastAPI Users does with accounts; the mixin adds the mails."""

    authmail = os.environ.get("AUTHMAIL", str(Path(__file__).with_name("authmail.toml")))
    verify_link = f"{SITE}/verify?token={{token}}"
    reset_link = f"{SITE}/reset?token={{token}}"
    reset_password_token_secret = verification_token_secret = SECRET


database = Users()


async def user_manager() -> AsyncIterator[UserManager]:
    """Give each request a manager; the delivery is the class's, one for the process."""
    yield UserManager(database)


def strategy() -> JWTStrategy[User, uuid.UUID]:
    """Sign a session."""
    return JWTStrategy(secret=SECRET, lifetime_seconds=3600)


backend = AuthenticationBackend(name="jwt", transport=BearerTransport(tokenUrl="login"), get_strategy=strategy)
users = FastAPIUsers[User, uuid.UUID](user_manager, [backend])


class UserRead(BaseUser[uuid.UUID]):
    """An account, as it is shown."""


app = FastAPI(lifespan=UserManager.lifespan)
app.include_router(users.get_auth_router(backend))
app.include_router(users.get_register_router(UserRead, BaseUserCreate))
app.include_router(users.get_verify_router(UserRead))
app.include_router(users.get_reset_password_router())
app.include_router(users.get_users_router(UserRead, BaseUserUpdate), prefix="/users")


# FastAPI Users has no sign-in by code: what follows is the application's own, and mails through the same manager.
Manager = Annotated[UserManager, Depends(user_manager)]
_codes: dict[str, tuple[str, float]] = {}


class Ask(BaseModel):
    """Who wants a code."""

    email: EmailStr


class SignIn(Ask):
    """Who has one."""

    code: str


@app.post("/code", status_code=202)
async def ask_for_code(ask: Ask, request: Request, manager: Manager) -> None:
    """Mail a code. The answer is the same for an address without an account."""
    try:
        user = await manager.get_by_email(ask.email)
    except UserNotExists:
        return
    code = f"{secrets.randbelow(10**6):06}"
    _codes[user.email] = (code, time.monotonic() + 600)
    manager.mail(user, "SignIn", {"code": code}, request)


@app.post("/sign-in")
async def sign_in(given: SignIn, manager: Manager) -> Response:
    """Sign in. A code is good once; a wrong one ends it."""
    try:
        user = await manager.get_by_email(given.email)
    except UserNotExists:
        user = None
    code, end = _codes.pop(user.email if user else "", ("", 0.0))
    if user is None or time.monotonic() > end or not compare_digest(code.encode(), given.code.encode()):
        raise HTTPException(403, "This code is not right, or too old.")
    return await backend.login(strategy(), user)
