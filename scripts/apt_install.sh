#!/bin/sh
# Installs Debian packages without starting their services: scripts/apt_install.sh PACKAGE... , as root.
# The tests start brokers and players of their own; a broker that listens from now on is nothing that a build may leave behind.
# What this machine had as its policy for services (invoke-rc.d(8)) is there again afterwards.
set -eu
policy=${POLICY_RC_D:-/usr/sbin/policy-rc.d}
saved=$policy.before-gst-mood

restore() {
    rm -f "$policy"
    [ ! -e "$saved" ] || mv "$saved" "$policy"
}
# That of a run that was killed is no policy of the machine.
! grep -qs 'by gst-mood' "$policy" || restore
[ ! -e "$policy" ] || mv "$policy" "$saved"
trap restore EXIT
trap 'exit 1' INT TERM HUP
# 101: the action is not allowed.
printf '#!/bin/sh\n# Written by gst-mood while packages are installed.\nexit 101\n' >"$policy"
chmod 755 "$policy"

apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" </dev/null

# The next start of the machine does not start them either.
command -v systemctl >/dev/null || exit 0
for package; do
    case $package in
    mosquitto) units=mosquitto.service ;;
    mpd) units='mpd.service mpd.socket' ;;
    mopidy*) units=mopidy.service ;;
    icecast2) units=icecast2.service ;;
    *) continue ;;
    esac
    # Units of the system, and those of every user's session; a package has one kind or both.
    for scope in --system --global; do
        # shellcheck disable=SC2086
        systemctl $scope disable $units 2>/dev/null || true
    done
done
