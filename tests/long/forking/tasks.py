"""A celery application with a broker in a folder. A task whose worker is killed is given to another one."""

import json
import os
from pathlib import Path

from celery import Celery
from forking import answering

from authmail.delivery.sync import load

FOLDER = Path(os.environ["AUTHMAIL_FILE"]).parent
QUEUE, CONTROL, ANSWERS = FOLDER / "queue", FOLDER / "control", FOLDER / "answers.jsonl"
QUEUE.mkdir(exist_ok=True)
CONTROL.mkdir(exist_ok=True)

app = Celery("tasks", broker="filesystem://")
app.conf.broker_transport_options = {
    "data_folder_in": str(QUEUE),
    "data_folder_out": str(QUEUE),
    "control_folder": str(CONTROL),
    "polling_interval": 0.02,
}
app.conf.worker_prefetch_multiplier = 1
app.conf.task_acks_late = True
app.conf.task_reject_on_worker_lost = True
app.conf.broker_connection_retry_on_startup = True

answering.listen()
deliveries = [load(file) for file in answering.files()]
if first := os.environ.get("AUTHMAIL_FIRST"):
    answering.send(deliveries, json.loads(first))


@app.task
def send(ask):
    """Answer one ask, in a line of a file."""
    line = json.dumps(answering.send(deliveries, ask)) + "\n"
    descriptor = os.open(ANSWERS, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(descriptor, line.encode())  # whole, whoever writes beside
    os.close(descriptor)
