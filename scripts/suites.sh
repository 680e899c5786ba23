# Sourced with a suite by the scripts that make root folders: says where mmdebstrap finds it, in suite_options and suite_mirror (empty:
# Debian's own archive), and installs what is needed for that, as root. $MIRROR is another mirror.
# dpkg need not wait for the disk, which takes most of the time: a root that a crash has spoilt is made again.
suite_options=(--dpkgopt=force-unsafe-io)
suite_mirror=${MIRROR:-}
command -v mmdebstrap >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends mmdebstrap; }
if [ "$1" = noble ]; then
    # Ubuntu's keys. Ubuntu and Debian 13 have a package of them, Debian 12 takes that of Debian 13.
    suite_keys=/usr/share/keyrings/ubuntu-archive-keyring.gpg
    if [ ! -e "$suite_keys" ]; then
        suite_keys=$PWD/target/ubuntu-keyring$suite_keys
        if [ ! -e "$suite_keys" ]; then
            suite_scratch=$(mktemp -d)
            mkdir -p "$suite_scratch/lists/partial"
            echo 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian trixie main' \
                >"$suite_scratch/sources.list"
            (
                cd "$suite_scratch"
                from_trixie=(-o "Dir::Etc::SourceList=$PWD/sources.list" -o Dir::Etc::SourceParts=- -o "Dir::State::Lists=$PWD/lists"
                             -o APT::Sandbox::User=root)
                apt-get "${from_trixie[@]}" update -qq
                apt-get "${from_trixie[@]}" download -qq ubuntu-keyring
            )
            dpkg-deb -x "$suite_scratch"/ubuntu-keyring_*.deb target/ubuntu-keyring
            rm -r "$suite_scratch"
        fi
    fi
    suite_options+=(--components=main,universe "--keyring=$suite_keys")
    suite_mirror=${MIRROR:-http://archive.ubuntu.com/ubuntu}
fi
