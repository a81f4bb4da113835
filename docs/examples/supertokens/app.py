"""SuperTokens with FastAPI, from its forms to the inbox: sign-up with a password, sign-in by code, reset.

It needs a SuperTokens core: `docker run -p 3567:3567 supertokens/supertokens-postgresql`. In one terminal `authmail sandbox`, in
another `uvicorn --app-dir docs/examples/supertokens app:app`.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from supertokens_python import InputAppInfo, SupertokensConfig, init
from supertokens_python.framework.fastapi import get_middleware
from supertokens_python.ingredients.emaildelivery.types import EmailDeliveryConfig
from supertokens_python.recipe import emailpassword, emailverification, passwordless, session
from supertokens_python.recipe.passwordless import ContactEmailOnlyConfig

from authmail.hosts.supertokens import EmailService

SITE = os.environ.get("SITE", "http://127.0.0.1:8000")
mail = EmailService(os.environ.get("AUTHMAIL", Path(__file__).with_name("authmail.toml")))
init(
    app_info=InputAppInfo(app_name="Example", api_domain=SITE, website_domain=SITE),
    supertokens_config=SupertokensConfig(connection_uri=os.environ.get("SUPERTOKENS_CORE", "http://127.0.0.1:3567")),
    framework="fastapi",
    recipe_list=[
        session.init(),
        emailpassword.init(email_delivery=EmailDeliveryConfig(mail)),
        emailverification.init(mode="OPTIONAL", email_delivery=EmailDeliveryConfig(mail)),
        passwordless.init(ContactEmailOnlyConfig(), "USER_INPUT_CODE", email_delivery=EmailDeliveryConfig(mail)),
    ],
    mode="asgi",
    telemetry=False,
)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Open with the application; at its end wait for what is on its way."""
    with mail.outbox:
        yield


app = FastAPI(lifespan=lifespan)
app.add_middleware(get_middleware())
