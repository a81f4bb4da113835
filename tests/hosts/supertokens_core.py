"""A stand-in for SuperTokens' core, which is a server in Java: what the Python SDK 0.31 asks of it for sign-up, codes and resets.

The answers have the form of the core driver interface: https://app.swaggerhub.com/apis/supertokens/CDI
"""

import json
import secrets
import time
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit


class Core:
    """Users, codes and tokens, in memory."""

    def __init__(self):
        self.users, self.codes, self.tokens, self.asked = {}, {}, {}, []

    def answer(self, method, path, values):
        """Answer one request of the SDK."""
        name = f"{method} {path.removeprefix('/public')}"
        self.asked.append(name)
        return getattr(self, self.ROUTES[name])(values)

    ROUTES = {
        "GET /apiversion": "versions",
        "GET /recipe/multitenancy/tenant/v2": "tenant",
        "GET /users/by-accountinfo": "found",
        "GET /user/id": "user_of",
        "GET /recipe/user/email/verify": "is_verified",
        "GET /recipe/signinup/codes": "devices",
        "POST /recipe/signup": "sign_up",
        "POST /recipe/signin": "sign_in",
        "POST /recipe/session": "session",
        "POST /recipe/signinup/code": "new_code",
        "POST /recipe/signinup/code/check": "check_code",
        "POST /recipe/signinup/code/consume": "use_code",
        "POST /recipe/user/email/verify/token": "new_token",
        "POST /recipe/user/email/verify": "use_token",
        "POST /recipe/user/password/reset/token": "new_token",
        "POST /recipe/user/password/reset/token/consume": "use_token",
        "PUT /recipe/user": "update",
    }

    def versions(self, _):
        return {"versions": ["5.0", "5.1", "5.2", "5.3", "5.4"]}

    def tenant(self, _):
        return {"status": "OK", "tenantId": "public", "thirdParty": {"providers": []}, "coreConfig": {}}

    def found(self, values):
        return {
            "status": "OK",
            "users": [self._user(user) for user in self.users.values() if user["email"] == values.get("email")],
        }

    def user_of(self, values):
        user = self.users.get(values["userId"])
        return {"status": "OK", "user": self._user(user)} if user else {"status": "UNKNOWN_USER_ID_ERROR"}

    def is_verified(self, _):
        return {"status": "OK", "isVerified": False}

    def sign_up(self, values):
        if any(user["email"] == values["email"] for user in self.users.values()):
            return {"status": "EMAIL_ALREADY_EXISTS_ERROR"}
        return self._added("emailpassword", values["email"], password=values["password"])

    def sign_in(self, values):
        for user in self.users.values():
            if (user["email"], user.get("password")) == (values["email"], values["password"]):
                return {"status": "OK", "user": self._user(user), "recipeUserId": user["id"]}
        return {"status": "WRONG_CREDENTIALS_ERROR"}

    def session(self, values):
        user, now = values["userId"], int(time.time())
        about = {"sub": user, "rsub": user, "tId": "public", "sessionHandle": "h", "refreshTokenHash1": "r", "iat": now}
        parts = (
            {"kid": "d-1", "typ": "JWT", "version": "5", "alg": "RS256"},
            about | {"exp": now + 3600} | values["userDataInJWT"],
        )
        text = ".".join(b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (*parts, "unsigned"))
        token = {"token": text, "expiry": (now + 3600) * 1000, "createdTime": now * 1000}
        about = {
            "handle": "h",
            "userId": user,
            "recipeUserId": user,
            "userDataInJWT": values["userDataInJWT"],
            "tenantId": "public",
        }
        return {"status": "OK", "session": about, "accessToken": token, "refreshToken": token}

    def new_code(self, values):
        device, code = secrets.token_hex(8), f"{secrets.randbelow(10**6):06}"
        self.codes[device] = values["email"], code
        return {"status": "OK", "preAuthSessionId": f"pre{device}", "codeId": device, "deviceId": device, "userInputCode": code,
                "linkCode": f"link{device}", "codeLifetime": 900_000, "timeCreated": int(time.time() * 1000)}  # fmt: skip

    def devices(self, values):
        device = values["preAuthSessionId"].removeprefix("pre")
        code = {"codeId": device, "timeCreated": 1, "codeLifetime": 900_000}
        return {"status": "OK", "devices": [{"preAuthSessionId": values["preAuthSessionId"], "failedCodeInputAttemptCount": 0,
                                             "codes": [code], "email": self.codes[device][0]}]}  # fmt: skip

    def check_code(self, values):
        email, code = self.codes[values["deviceId"]]
        if code != values["userInputCode"]:
            return {"status": "INCORRECT_USER_INPUT_CODE_ERROR", "failedCodeInputAttemptCount": 1, "maximumCodeInputAttempts": 5}
        return {"status": "OK", "consumedDevice": {"preAuthSessionId": values["preAuthSessionId"], "failedCodeInputAttemptCount": 0,
                                                   "email": email}}  # fmt: skip

    def use_code(self, values):
        checked = self.check_code(values)
        return (
            checked if checked["status"] != "OK" else checked | self._added("passwordless", self.codes.pop(values["deviceId"])[0])
        )

    def new_token(self, values):
        token = secrets.token_urlsafe(24)
        self.tokens[token] = values["userId"], values["email"]
        return {"status": "OK", "token": token}

    def use_token(self, values):
        user, email = self.tokens.pop(values["token"])
        return {"status": "OK", "userId": user, "email": email}

    def update(self, values):
        self.users[values["recipeUserId"]]["password"] = values["password"]
        return {"status": "OK"}

    def _added(self, recipe, email, **more):
        user = {"id": secrets.token_hex(8), "recipe": recipe, "email": email, **more}
        self.users[user["id"]] = user
        return {"status": "OK", "createdNewUser": True, "user": self._user(user), "recipeUserId": user["id"]}

    def _user(self, user):
        method = {"recipeId": user["recipe"], "recipeUserId": user["id"], "tenantIds": ["public"], "email": user["email"],
                  "timeJoined": 1, "verified": False}  # fmt: skip
        return {"id": user["id"], "isPrimaryUser": False, "tenantIds": ["public"], "timeJoined": 1, "emails": [user["email"]],
                "phoneNumbers": [], "thirdParty": [], "webauthn": {"credentialIds": []}, "loginMethods": [method]}  # fmt: skip


class ServedCore:
    """The core on loopback, as long as the context is open."""

    def __enter__(self):
        self.core = core = Core()

        class Handler(BaseHTTPRequestHandler):
            def respond(self):
                address = urlsplit(self.path)
                length = int(self.headers.get("Content-Length") or 0)
                values = {name: one[0] for name, one in parse_qs(address.query).items()}
                values |= json.loads(self.rfile.read(length)) if length else {}
                said = json.dumps(core.answer(self.command, address.path, values)).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            do_GET = do_POST = do_PUT = respond  # noqa: N815 (as http.server calls them)

            def log_message(self, *_):
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
