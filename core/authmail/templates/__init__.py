"""Templates: the ``{{…}}`` language, choice by type and language, rendering to an Email."""

from authmail.templates.language import render
from authmail.templates.template import Template

__all__ = ["Template", "render"]
