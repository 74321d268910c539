#!/bin/sh
# traffic.sh: customers, about twenty requests a second, until it is stopped.
while sleep 0.05; do curl -s -o /dev/null http://127.0.0.1:8080/ || true; done
