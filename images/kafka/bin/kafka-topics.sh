#!/bin/sh
exec python "$(dirname "$0")/../topics.py" "$@"
