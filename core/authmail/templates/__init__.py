"""Templates: the ``{{…}}`` language, choice by type and language, rendering to an Email."""

from authmail.templates.at_provider import ProviderTemplate
from authmail.templates.coverage import strangers_in
from authmail.templates.language import render
from authmail.templates.template import Template

__all__ = ["ProviderTemplate", "Template", "render", "strangers_in"]
