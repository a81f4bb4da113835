"""Django's commands: `python docs/examples/allauth/manage.py migrate`, `… runserver`, `… authmail check`."""

import os
import sys

from django.core.management import execute_from_command_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "members.settings")
if __name__ == "__main__":
    execute_from_command_line(sys.argv)
