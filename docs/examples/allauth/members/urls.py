"""allauth's API; the app calls it, see docs/hosts/allauth.md.

In one terminal `authmail sandbox`, in another `python docs/examples/allauth/manage.py migrate` and `… runserver`.
"""

from django.urls import include, path

urlpatterns = [path("accounts/", include("allauth.urls")), path("_allauth/", include("allauth.headless.urls"))]
