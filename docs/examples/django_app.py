"""Sign-in codes by mail with Django, in one file: the Mailer without await.

In one terminal `authmail sandbox`, in another `python docs/examples/django_app.py runserver`.
"""

import json
import logging
import os
import sys
from functools import cache

from answers import answer_for
from codes import is_right, new_code
from django.conf import settings
from django.core.management import execute_from_command_line
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from authmail import Egress, Message, Receipt, SendError, Template
from authmail.sync import Mailer

settings.configure(
    DEBUG=False,
    SECRET_KEY="an example signs nothing",  # noqa: S106 (as it says)
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["127.0.0.1", "localhost"],
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    # The sandbox's settings. For real mail: your own config from where you store it.
    AUTHMAIL_CONFIG={
        "accessKeyId": "sandbox-access-key",
        "accessKeySecret": "sandbox-secret",
        "accountName": "no-reply@mail.sandbox.example",
        "endpoint": os.environ.get("MAIL_ENDPOINT", "http://127.0.0.1:8026"),
    },
)
TEMPLATES = [Template("SignIn", "{{code}} is your sign-in code", "<p>Hello,</p><p>your code is <b>{{code}}</b>.</p>")]
log = logging.getLogger("mail")


@cache
def mailer() -> Mailer:
    """Return the process's Mailer. Made late, since settings may not be read at import time."""
    # For real mail leave out egress=.
    return Mailer("aliyun-dm", settings.AUTHMAIL_CONFIG, templates=TEMPLATES, egress=Egress.ANY, timeout=8)


@csrf_exempt  # the example is called by curl; a form of yours keeps Django's protection
@require_POST
def ask_for_code(request: HttpRequest) -> JsonResponse:
    """Mail a code: ``{"email": "zoe@example.com"}``."""
    email = str(json.loads(request.body).get("email", ""))
    outcome: Receipt | SendError
    try:
        outcome = mailer().send(Message(email, "SignIn", {"code": new_code(email)}))
    except SendError as error:
        outcome = error
    answer = answer_for(outcome)
    if answer.alert:
        log.error("mail: %s", outcome)
    headers = {} if answer.retry_after is None else {"Retry-After": str(answer.retry_after)}
    return JsonResponse({"text": answer.text}, status=answer.status, headers=headers)


@csrf_exempt
@require_POST
def sign_in(request: HttpRequest) -> JsonResponse:
    """Sign in: ``{"email": "zoe@example.com", "code": "123456"}``."""
    given = json.loads(request.body)
    if is_right(str(given.get("email", "")), str(given.get("code", ""))):
        return JsonResponse({"text": "Welcome."})
    return JsonResponse({"text": "This code is not right, or too old."}, status=403)


urlpatterns = [path("code", ask_for_code), path("sign-in", sign_in)]
application = get_wsgi_application()  # for gunicorn and the like

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
