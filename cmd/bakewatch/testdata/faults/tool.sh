#!/bin/sh
# A deployment tool that writes down every call and every effect, and that stops
# the daemon where a test says so.
#   tool.sh DIR [once]     once: a key that was done is not done again
set -u
dir=$1
die() {
	if rm "$dir/$1" 2>/dev/null; then
		kill -9 "$PPID"
		[ "${2-}" = "and-go-on" ] || exit 1
	fi
}
echo "$BAKEWATCH_KEY" >>"$dir/calls"
die die-before-effect
die die-during-effect and-go-on
if [ -f "$dir/slow" ]; then
	while [ -f "$dir/slow" ]; do sleep 0.1; done
fi
if [ "${2-}" = once ] && ! mkdir "$dir/done-$BAKEWATCH_KEY" 2>/dev/null; then
	exit 0
fi
echo "$BAKEWATCH_KEY $BAKEWATCH_TO $(date +%s%N)" >>"$dir/effects"
echo "$BAKEWATCH_TO" >"$dir/live.new"
mv "$dir/live.new" "$dir/live"
die die-after-effect
exit 0
