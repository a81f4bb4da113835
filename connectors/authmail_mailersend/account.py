"""The online check: token and quota, without sending mail and without using the quota up."""

from typing import TYPE_CHECKING

from authmail import AccountError, AccountReport, Problem, Reason
from authmail_mailersend.answers import ANSWERS, seconds_until

if TYPE_CHECKING:
    from authmail import Http
    from authmail_mailersend import MailerSendConfig

_FACTS = {"Requests a day": "quota", "Requests left": "remaining", "Reset": "reset"}
_MAY_ONLY_SEND = "MS40301"


async def check_account(config: "MailerSendConfig", http: "Http") -> AccountReport:
    """Ask for the quota of requests (page *API quota*); the question is not counted.

    Whether the sender's domain is verified is not asked: that needs a token with more rights than sending does.

    Returns:
        The quota; a warning for a token that may not ask for it.

    Raises:
        SendError: the token is wrong, or no request is left today.
    """
    reply = await http.get(f"{config.url}/v1/api-quota", headers=config.headers)
    answer = ANSWERS.answer(reply)
    told = {label: answer.text(name, numbers=True) for label, name in _FACTS.items()}
    if reply.status != 200 or told["Requests left"] is None:  # noqa: PLR2004
        failure = ANSWERS.failure(reply)
        if failure.code != _MAY_ONLY_SEND:
            raise failure
        hint = "that is good practice; whether it may send is known when it does"
        return AccountReport({}, [Problem("apiKey", "is right, but may not ask for the quota", hint)])
    if told["Requests left"] == "0":
        hint = "no request is left today; wait until the quota is counted anew, or upgrade the plan"
        raise AccountError(hint, reason=Reason.QUOTA, retry_after=seconds_until(told["Reset"], reply))
    return AccountReport({label: value for label, value in told.items() if value is not None})
