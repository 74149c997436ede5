"""Ask `lookbook serve` in Python, with the standard library alone.

python docs/examples/ask.py http://127.0.0.1:8000 photo.jpg other.jpg
"""

import http.client
import json
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

address, *pictures = sys.argv[1:]
connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
for path in pictures:
    while True:
        connection.request("POST", "/predict", Path(path).read_bytes())
        response = connection.getresponse()
        content = json.loads(response.read())
        if response.status != 503:  # too much to do, for now
            break
        time.sleep(int(response.headers["Retry-After"]))
    if "error" in content:
        print(f"{path}: {response.status} {content['error']}", file=sys.stderr)
    else:
        [said] = content["pictures"]
        print(f"{path}: {said['answer']}, {said['probability']:.3f} for {said['likeliest']}")
