# The outside as the tests see it: outside.sh CONDUCT DIR records its standard
# input in DIR and then behaves as told. The plan's args follow and are kept, too.
conduct=$1 dir=$2
shift 2
cat >"$dir/.input"
printf '%s\n' "$@" >"$dir/args"
env >"$dir/env"
mv "$dir/.input" "$dir/call.$(printf %03d "$(ls "$dir" | grep -c '^call')")"
case $conduct in
works) printf %s "$BAKEWATCH_TO" >"$dir/live" ;;
'says try later') echo "busy with another deployment" >&2; exit 75 ;;
refuses) echo "no such service" >&2; exit 78 ;;
'fails half-way') echo "step 1 of 2"; echo "step 2 failed" >&2; exit 1 ;;
hangs) while :; do sleep 60; done ;;
'never stops talking') head -c 20000000 /dev/zero | tr '\0' x; exit 1 ;;
'echoes secrets') echo "login with $DEPLOY_TOKEN failed" >&2; exit 1 ;;
esac
