"""A Django host that queues within its transaction: ``python django_host.py PORT SCHEMA commit``, or ``rollback``. Prints what it sees."""

import json
import sys

from django.conf import settings
from django.db import connection, transaction

from authmail import Message, Receipt
from authmail.delivery import Dedupe, Delivery, Failover, PostgresStore
from authmail.delivery.sync import Delivery as SyncDelivery
from authmail.queue import Procrastinate, Queue, QueueKeys, new_key


class Sender:
    """Accepts everything."""

    name = "sender"

    async def send(self, message, *, timeout=None):
        return Receipt("1")


class RolledBack(Exception):
    """As a view fails."""


def state_of(delivery, ticket):
    state = delivery.state(ticket.id)
    return state and state.name


def main(port, schema, how):
    database = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "postgres",
        "USER": "authmail",
        "HOST": "127.0.0.1",
        "PORT": port,
    }
    settings.configure(DATABASES={"default": database})
    store = PostgresStore(f"postgresql://authmail@127.0.0.1:{port}/postgres", secret=b"0123456789abcdef", schema=schema)
    queue = Queue(Procrastinate(store), QueueKeys([new_key()]), digest=store.digest)
    message, told = Message("zoe@example.com", "SignIn", {"code": "123456"}), {}
    with SyncDelivery(Delivery(Dedupe(Failover([Sender()]), store=store), queue=queue)) as delivery:
        try:
            with transaction.atomic():
                ticket = delivery.enqueue(message, transaction=connection)
                with connection.cursor() as cursor:
                    cursor.execute(f"SELECT state FROM {schema}.queued")
                    told["within"] = cursor.fetchone()[0]
                if how == "rollback":
                    raise RolledBack
        except RolledBack:
            pass
        connection.close()
        told["after"] = state_of(delivery, ticket)
        told["repeated"] = delivery.enqueue(message).repeated
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
