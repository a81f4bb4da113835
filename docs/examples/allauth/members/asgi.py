"""For uvicorn and the like: ``uvicorn --app-dir docs/examples/allauth members.asgi:application``."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "members.settings")
application = get_asgi_application()
