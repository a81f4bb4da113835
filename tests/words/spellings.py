"""In how many ways a text may be repeated by whoever got it, or got a request with it."""

import json
from base64 import b64encode, urlsafe_b64encode
from html import escape
from urllib.parse import quote, quote_plus


def entities(text, form="&#{};"):
    return "".join(form.format(ord(character)) for character in text)


def escapes(text):
    return "".join(f"\\u{ord(character):04X}" for character in text)


#: What it is called → what spells a text so.
SPELLINGS = {
    "as it is": str,
    "in capitals": str.upper,
    "in small letters": str.lower,
    "percent": lambda text: quote(text, safe=""),
    "percent, some kept": quote,
    "percent in small letters": lambda text: quote(text, safe="").replace("%3A", "%3a").replace("%C3%BC", "%c3%bc"),
    "percent twice": lambda text: quote(quote(text, safe=""), safe=""),
    "percent, every character": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "as a form writes it": quote_plus,
    "HTML": escape,
    "HTML twice": lambda text: escape(escape(text)),
    "entities": entities,
    "hexadecimal entities": lambda text: "".join(f"&#x{ord(character):x};" for character in text),
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON with slashes": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "JSON, every character": escapes,
    "JSON in JSON": lambda text: json.dumps(json.dumps(text))[3:-3],
    "hex": lambda text: text.encode().hex(),
    "HEX": lambda text: text.encode().hex().upper(),
    "Base64": lambda text: b64encode(text.encode()).decode(),
    "Base64 for addresses": lambda text: urlsafe_b64encode(text.encode()).decode(),
    "Base64 behind one byte": lambda text: b64encode(b"u" + text.encode() + b"zz").decode(),
    "Base64 behind two": lambda text: b64encode(b"u:" + text.encode() + b"z").decode(),
    "Base64 of a login": lambda text: b64encode(f"\0user\0{text}".encode()).decode(),
    "percent of HTML": lambda text: quote(escape(text), safe=""),
    "percent of JSON": lambda text: quote(json.dumps(text)[1:-1], safe=""),
    "percent of entities": lambda text: quote(entities(text), safe=""),
    "percent, every character, twice": lambda text: "".join(f"%25{byte:02x}" for byte in text.encode()),
    "HTML of percent": lambda text: escape(quote(text)),
    "HTML of JSON": lambda text: escape(json.dumps(text)[1:-1]),
    "JSON of percent": lambda text: json.dumps(quote(text))[1:-1].replace("/", "\\/"),
    "JSON of entities": lambda text: json.dumps(entities(text))[1:-1],
    "JSON, every character, small": lambda text: escapes(text).lower(),
    "entities with zeros": lambda text: entities(text, "&#{:07d};"),
    "hexadecimal entities in capitals": lambda text: "".join(f"&#X{ord(character):X};" for character in text),
    "backslash x": lambda text: "".join(f"\\x{byte:02x}" for byte in text.encode()),
    "backslash x in capitals": lambda text: "".join(f"\\x{byte:02X}" for byte in text.encode()),
    "swapped case": str.swapcase,
    "Base64 without padding": lambda text: b64encode(text.encode()).decode().rstrip("="),
    "Base64 in percent": lambda text: quote(b64encode(text.encode()).decode(), safe=""),
    "Base64 of JSON": lambda text: b64encode(json.dumps({"key": text}, ensure_ascii=False).encode()).decode(),
    "hex among others": lambda text: f"{b'key='.hex()}{text.encode().hex()}{b';'.hex()}",
}
