#!/bin/sh
# live.sh: prints the version that is live, and nothing else.
exec curl -fs http://127.0.0.1:8080/version
