#!/bin/sh
exec python "$(dirname "$0")/../console_consumer.py" "$@"
