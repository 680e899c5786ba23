#!/usr/bin/env bash
# A broker for Home Assistant (mosquitto, without Docker) and a session that publishes to it and takes commands from it:
#   pipelines/home-assistant.sh ~/Music
# The first time it makes ~/.config/gst-mood/broker (another folder: BROKER=...) with a configuration, and two passwords in files that only you
# can read: `mood` for the session and `homeassistant`, which you enter in Home Assistant under Settings > Devices > Add > MQTT with
# this computer's name and port 1883. Who may do what is in its file `acl`: Home Assistant reads everything and steers the
# session, and nobody else gets in. Mood, track, selects and buttons then appear by themselves. In a network that you share
# with others add TLS: mosquitto.conf(5), and mqtts:// below.
# Another port: PORT=1884. The name of the room: ROOM=kitchen. More options for the session come behind the music: --camera /dev/video2
set -euo pipefail
. "$(dirname "$0")/common.sh"
[ $# -ge 1 ] || usage 'MUSIC [OPTIONS OF gst-mood live]'
must_exist "$1"
music=$1
shift
PATH=$PATH:/usr/sbin
broker=${BROKER:-${XDG_CONFIG_HOME:-$HOME/.config}/gst-mood/broker}
room=${ROOM:-living-room}
port=${PORT:-1883}
for program in mosquitto mosquitto_passwd; do
    command -v "$program" >/dev/null || { echo "$0: no $program: install the package mosquitto" >&2; exit 1; }
done

umask 077
mkdir -p "$broker"
broker=$(cd "$broker" && pwd)
if [ ! -e "$broker/passwords" ]; then
    : >"$broker/passwords.new"
    for user in mood homeassistant; do
        head -c 18 /dev/urandom | base64 >"$broker/$user.password"
        # Its input and not an argument, which every user of the computer could read.
        printf '%s:%s\n' "$user" "$(cat "$broker/$user.password")" >>"$broker/passwords.new"
    done
    mosquitto_passwd -U "$broker/passwords.new"
    mv "$broker/passwords.new" "$broker/passwords"
fi
cat >"$broker/acl" <<ACL
user mood
topic readwrite $room/#
topic write homeassistant/#
user homeassistant
topic read #
topic readwrite homeassistant/#
topic write $room/set/+
ACL
cat >"$broker/mosquitto.conf" <<CONF
listener $port ${LISTEN:-0.0.0.0}
allow_anonymous false
password_file $broker/passwords
acl_file $broker/acl
persistence false
CONF
# Started as root, mosquitto would become a user that cannot read these files.
[ "$(id -u)" != 0 ] || echo 'user root' >>"$broker/mosquitto.conf"

mosquitto -c "$broker/mosquitto.conf" &
server=$!
trap 'kill "$server" 2>/dev/null || true' EXIT
mood live --library "$music" --allow-mqtt-commands \
    --publish "mqtt://mood@localhost:$port/$room?discovery=homeassistant&password-file=$broker/mood.password" "$@"
