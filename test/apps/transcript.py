"""What a Python program says, and how it waits for the replicas; see app-program.ts."""

import datetime
import decimal
import json
import os
import sys

HOST = os.environ["APP_HOST"]
PORT = int(os.environ["APP_PORT"])
USER = os.environ["APP_USER"]
PASSWORD = os.environ["APP_PASSWORD"]
SCHEMA = os.environ["APP_SCHEMA"]

EMOJI = "Žluťoučký kůň 😀👩‍👩‍👧 中文 Ω ' \" \\ % _"
LONG_TEXT = "Zeile – ligne — строка 行\n" * 8000
BYTES = bytes(range(256)) * 2


def plain(value):
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time, datetime.timedelta)):
        return f"{type(value).__name__} {value!s}"
    if isinstance(value, decimal.Decimal):
        return f"decimal {value}"
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f"bytes {bytes(value).hex()}"
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return repr(value)


def say(step, result=None):
    line = {"step": step} if result is None and step == "end" else {"step": step, "result": result}
    print(json.dumps(line, default=plain, ensure_ascii=False, separators=(",", ":")), flush=True)


def sync():
    print('{"sync":true}', flush=True)
    sys.stdin.readline()


def failure(run, *args, **kwargs):
    """Runs what should fail, and gives the error."""
    try:
        return {"unexpected": run(*args, **kwargs)}
    except Exception as error:
        inner = getattr(error, "orig", error)
        return {"type": type(error).__name__, "args": [str(one) for one in inner.args]}
