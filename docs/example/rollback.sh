#!/bin/sh
# rollback.sh: what Bakewatch runs. The version to go to comes in the environment.
set -eu
exec "$(dirname "$0")/deploy.sh" "$BAKEWATCH_TO"
