#!/usr/bin/env bash
# Pauses a session while Frigate sees nobody in the room, and lets it play on when somebody comes:
#   pipelines/frigate-pause.sh BROKER CAMERA TOPIC
#   pipelines/frigate-pause.sh homeassistant.local living_room room
# Both have to use the same broker: Frigate, which publishes the number of people that a camera sees (frigate/CAMERA/person), and
# gst-mood live --publish mqtt://BROKER/TOPIC --allow-mqtt-commands. Other settings: PORT=1884, USER_NAME=mood with
# PASSWORD_FILE=/etc/mood-password, FRIGATE=frigate (Frigate's topic_prefix). What the camera saw before is not known: the session stays
# as it is until Frigate publishes the next number.
set -euo pipefail
. "$(dirname "$0")/common.sh"
[ $# -eq 3 ] || usage 'BROKER CAMERA TOPIC'
topic=$3
source=${FRIGATE:-frigate}/$2/person
for program in mosquitto_sub mosquitto_pub; do
    command -v "$program" >/dev/null || { echo "$0: no $program: install the package mosquitto-clients" >&2; exit 1; }
done

# The clients read options from files, which others cannot; arguments they can.
umask 077
settings=$(mktemp -d)
trap 'rm -rf "$settings"' EXIT
{
    printf -- '-h %s\n-p %s\n' "$1" "${PORT:-1883}"
    [ -z "${USER_NAME:-}" ] || printf -- '-u %s\n' "$USER_NAME"
    [ -z "${PASSWORD_FILE:-}" ] || printf -- '-P %s\n' "$(head -n 1 "$PASSWORD_FILE")"
} >"$settings/mosquitto_sub"
cp "$settings/mosquitto_sub" "$settings/mosquitto_pub"
export XDG_CONFIG_HOME=$settings

mosquitto_sub -q 1 -t "$source" | while read -r count; do
    case $count in
        0) echo ON ;;
        *[!0-9]* | '') echo "$0: no number of people at $source: $count" >&2 ;;
        *) echo OFF ;;
    esac
done | mosquitto_pub -q 1 -l -t "$topic/set/pause"
