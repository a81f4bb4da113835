import json
import re
import unicodedata
from datetime import UTC, datetime

import pytest
from docs_names import NAMES

from authmail.mail.vital import find_code
from authmail.templates.defang import AT_SIGNS, COLONS, DOTS, HAIR, SLASHES, clean_text, defang, defang_name
from authmail.templates.strangers import Strangers, clean_payload
