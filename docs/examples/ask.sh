#!/bin/sh
# Ask `lookbook serve` with curl: one picture, the same from standard input, all in one request.
#
#     sh docs/examples/ask.sh http://127.0.0.1:8000 photo.jpg other.jpg
set -eu
address=$1/predict
shift
curl --silent --show-error --fail-with-body --data-binary "@$1" "$address"
echo
cat "$1" | curl --silent --show-error --fail-with-body --data-binary @- "$address"
echo
for picture; do
  set -- "$@" --form "picture=@\"$picture\""
  shift
done
curl --silent --show-error --fail-with-body "$@" "$address"
echo
