#!/bin/bash
# Runs `make demo` as a newcomer does: waits until it is there, looks at both pages that it names, presses Ctrl-C.
set -euo pipefail
cd "$(dirname "$0")/../.."
START_LIMIT_S=1200 # system packages and Python packages come first
STOP_LIMIT_S=20

said=$(mktemp)
stop() {
  cat "$said"
  echo "make demo: $*"
  exit 1
}

set -m # a process group of its own, as at a terminal
make demo >"$said" 2>&1 </dev/null &
demo=$!
trap 'kill -KILL -- -$demo 2>/dev/null || true' EXIT
until grep -q "Press Ctrl-C to stop" "$said"; do
  kill -0 $demo 2>/dev/null || stop "it ended before it served anything"
  [ $SECONDS -lt $START_LIMIT_S ] || stop "it served nothing within $START_LIMIT_S s"
  sleep 1
done
pages=$(grep -oE 'http://(localhost|127\.0\.0\.1):[^ #]+/' "$said" | sort -u)
for page in $pages; do
  .venv/bin/python -c 'import sys, urllib.request as u; u.urlopen(sys.argv[1], timeout=9).read()' "$page" ||
    stop "$page is not served"
done
kill -INT -- -$demo
for _ in $(seq $STOP_LIMIT_S); do
  kill -0 $demo 2>/dev/null || break
  sleep 1
done
! kill -0 $demo 2>/dev/null || stop "it did not stop within $STOP_LIMIT_S s"
! grep -q Traceback "$said" || stop "it stopped with a traceback"
[ "$(wc -w <<<"$pages")" = 2 ] || stop "it names these pages: $pages"
echo "make demo: both pages were served by $(.venv/bin/python --version) and it stopped: $(tr '\n' ' ' <<<"$pages")"
