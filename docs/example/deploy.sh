#!/bin/sh
# deploy.sh VERSION: the smallest deployment tool. It stops the shop that runs here and
# starts the version that is named; versions 1.2.x are bad ones.
set -eu
cd "$(dirname "$0")"
if [ -f shop.pid ]; then
	kill "$(cat shop.pid)" 2>/dev/null || true
	while kill -0 "$(cat shop.pid)" 2>/dev/null; do sleep 0.1; done
fi
fail=0
case "$1" in 1.2.*) fail=0.1 ;; esac
setsid ./shop --version "$1" --fail "$fail" >shop.log 2>&1 </dev/null &
echo $! >shop.pid
until [ "$(curl -fs http://127.0.0.1:8080/version)" = "$1" ]; do sleep 0.1; done
