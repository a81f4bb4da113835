"""Sign-in codes by mail with Flask: the Mailer without await, one for the whole process.

In one terminal `authmail sandbox`, in another `flask --app docs/examples/flask_app run`.
"""

import os

from answers import answer_for
from codes import is_right, new_code
from flask import Flask, Response, jsonify, request

from authmail import Egress, Message, Receipt, SendError, Template
from authmail.sync import Mailer

# The sandbox's settings. For real mail: your own config from where you store it, and no egress=.
CONFIG = {
    "accessKeyId": "sandbox-access-key",
    "accessKeySecret": "sandbox-secret",
    "accountName": "no-reply@mail.sandbox.example",
    "endpoint": os.environ.get("MAIL_ENDPOINT", "http://127.0.0.1:8026"),
}
TEMPLATES = [Template("SignIn", "{{code}} is your sign-in code", "<p>Hello,</p><p>your code is <b>{{code}}</b>.</p>")]

# Opened at the first mail, also after a fork, and used by every thread until the process ends.
mailer = Mailer("aliyun-dm", CONFIG, templates=TEMPLATES, egress=Egress.ANY, timeout=8)
app = Flask(__name__)


@app.post("/code")
def ask_for_code() -> Response:
    """Mail a code: ``{"email": "zoe@example.com"}``."""
    email = str(request.get_json().get("email", ""))
    message = Message(email, "SignIn", {"code": new_code(email), "uiLocales": " ".join(request.accept_languages.values())})
    outcome: Receipt | SendError
    try:
        outcome = mailer.send(message)
    except SendError as error:
        outcome = error
    answer = answer_for(outcome)
    if answer.alert:
        app.logger.error("mail: %s", outcome)
    response = jsonify(text=answer.text)
    response.status_code = answer.status
    if answer.retry_after is not None:
        response.headers["Retry-After"] = str(answer.retry_after)
    return response


@app.post("/sign-in")
def sign_in() -> Response:
    """Sign in: ``{"email": "zoe@example.com", "code": "123456"}``."""
    given = request.get_json()
    right = is_right(str(given.get("email", "")), str(given.get("code", "")))
    response = jsonify(text="Welcome." if right else "This code is not right, or too old.")
    response.status_code = 200 if right else 403
    return response
