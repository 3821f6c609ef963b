"""The Python receiver of the PassPost page. Reads {"signature", "secret", "body"} and prints true or false."""

import hashlib
import hmac
import json
import sys


def verify(body: bytes, signature: str, secret: str) -> bool:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest("sha256=" + digest, signature or "")


given = json.loads(sys.stdin.buffer.read())
print(json.dumps(verify(given["body"].encode(), given["signature"], given["secret"])))
