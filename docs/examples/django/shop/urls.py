"""Sign-up and sign-in by code, Django's own reset by link, and invitations.

In one terminal `authmail sandbox`, in another `python docs/examples/django/manage.py migrate` and `… runserver`.
"""

import json

from django.contrib import admin
from django.contrib.auth import get_user_model, login, views
from django.core.cache import cache
from django.core.mail import send_mail
from django.db import transaction
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.utils.crypto import constant_time_compare, get_random_string, salted_hmac
from django.utils.translation import get_language
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from authmail import Message, SendError
from authmail.hosts.django import post
from authmail.hosts.django.forms import PasswordResetForm


def hashed(email: str, code: str) -> str:
    """Return what is stored of a code."""
    return salted_hmac("code", f"{email.lower()} {code}", algorithm="sha256").hexdigest()


@csrf_exempt  # the example is called by curl; a form of yours keeps Django's protection
@require_POST
def ask_for_code(request: HttpRequest, usage_type: str) -> JsonResponse:
    """Sign up or sign in: ``{"email": "zoe@example.com"}``. The answer is the same for all, and waits for no mail."""
    email = str(json.loads(request.body)["email"])
    code = get_random_string(6, "0123456789")
    if usage_type == "Register" or get_user_model().objects.filter(username=email.lower()).exists():
        cache.set(f"code-{email.lower()}", hashed(email, code), 600)
        payload = {"code": code, "locale": get_language(), "application": {"name": "Shop"}}
        post(Message(email, usage_type, payload, ip=request.META["REMOTE_ADDR"]))
    return JsonResponse({"text": "If this address may sign in, a code is on its way."}, status=202)


@csrf_exempt
@require_POST
@transaction.atomic
def enter_code(request: HttpRequest) -> JsonResponse:
    """Type the code back: ``{"email": "zoe@example.com", "code": "123456", "password": "…"}``; the last at sign-up, if wanted."""
    given = json.loads(request.body)
    username = str(given["email"]).lower()
    if not constant_time_compare(hashed(username, str(given["code"])), cache.get(f"code-{username}", "")):
        return JsonResponse({"text": "This code is not right, or too old."}, status=403)
    cache.delete(f"code-{username}")
    user, is_new = get_user_model().objects.get_or_create(username=username, defaults={"email": given["email"]})
    if is_new:
        user.set_password(given.get("password"))  # None: by codes alone
        user.save()
    login(request, user)
    return JsonResponse({"text": f"Welcome, {user.username}."})


@csrf_exempt
@require_POST
def invite(request: HttpRequest) -> JsonResponse:
    """Invite somebody by a mail that is written here, with Django's own ``send_mail``: it waits, and the page says if it went."""
    email = str(json.loads(request.body)["email"])
    text = f"Hello,\n\nyou are invited: {request.build_absolute_uri('/sign-up')}\n"
    try:
        send_mail("You are invited", text, None, [email])
    except SendError:  # its own log line and alert have been written
        return JsonResponse({"text": "The invitation could not be sent. Please try again later."}, status=503)
    return JsonResponse({"text": "Invited."})


urlpatterns = [
    path("sign-up", ask_for_code, {"usage_type": "Register"}),
    path("sign-in", ask_for_code, {"usage_type": "SignIn"}),
    path("code", enter_code),
    path("invite", invite),
    path("reset/", views.PasswordResetView.as_view(form_class=PasswordResetForm), name="password_reset"),
    path("reset/done/", views.PasswordResetDoneView.as_view(), name="password_reset_done"),
    path("reset/<uidb64>/<token>/", views.PasswordResetConfirmView.as_view(), name="password_reset_confirm"),
    path("reset/complete/", views.PasswordResetCompleteView.as_view(), name="password_reset_complete"),
    path("admin/", admin.site.urls),  # its templates are the pages of a reset
]
