#!/usr/bin/env bash
# Makes the Debian packages of this machine's distribution in target/debian/ from what `make build` has left in target/:
#   gst-mood                the command, its man pages and completions, the large model
#   gstreamer1.0-mood       the plugins
#   gst-mood-onnxruntime    ONNX Runtime. Where the distribution has libonnxruntime1.21 that will do too, but it is the second choice:
#                           Debian 13's prints 1,100 lines about schemas that are registered twice in every program that loads a
#                           model, because its libonnx registers them as well (https://github.com/microsoft/onnxruntime/pull/32353)
# Only dpkg and dpkg-dev are needed, which build-essential brings.
set -euo pipefail
cd "$(dirname "$0")/.."

for tool in dpkg-deb dpkg-shlibdeps dpkg-architecture; do
    command -v "$tool" >/dev/null || { echo "deb: $tool is missing: install dpkg-dev" >&2; exit 1; }
done
architecture=$(dpkg --print-architecture)
triplet=$(dpkg-architecture -qDEB_HOST_MULTIARCH)
. /etc/os-release
# The distribution's name keeps the packages of two distributions apart, and orders those of one by age.
version="$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)-1~${ID}${VERSION_ID:-0}"
# The time of the last commit, so that the same sources give the same packages.
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}

packages=(gst-mood gstreamer1.0-mood)
system=
! apt-cache show libonnxruntime1.21 >/dev/null 2>&1 || system=libonnxruntime1.21
if [ -e target/onnxruntime/libonnxruntime.so ]; then
    packages+=(gst-mood-onnxruntime)
    onnxruntime="gst-mood-onnxruntime (= $version)${system:+ | $system}"
elif [ -n "$system" ]; then
    onnxruntime=$system
else
    echo 'deb: there is neither target/onnxruntime nor a package libonnxruntime1.21: run make setup' >&2
    exit 1
fi

out=target/debian
rm -rf "$out"
all=$out/stage/all
PREFIX=/usr DESTDIR=$PWD/$all PLUGIN_DIR=/usr/lib/$triplet/gstreamer-1.0 RUNTIME_DIR=/usr/lib/$triplet/onnxruntime \
    scripts/install.sh install

# move PACKAGE PATH: moves a path of the installation into a package.
move() {
    mkdir -p "$out/stage/$1$(dirname "$2")"
    mv "$all$2" "$out/stage/$1$2"
}
move gst-mood /usr/bin
move gst-mood /usr/share
gzip -9n "$out"/stage/gst-mood/usr/share/man/man1/*.1
move gstreamer1.0-mood "/usr/lib/$triplet/gstreamer-1.0"
if [ ${#packages[@]} = 3 ]; then
    move gst-mood-onnxruntime "/usr/lib/$triplet/onnxruntime"
    # The plugins look beside their folder, the command in ../lib from its own.
    ln -s "$triplet/onnxruntime" "$out/stage/gst-mood-onnxruntime/usr/lib/onnxruntime"
fi
rm -r "$all"

for package in "${packages[@]}"; do
    stage=$PWD/$out/stage/$package
    find "$stage" -type f \( -name '*.so*' -o -path '*/bin/*' \) -exec strip --strip-unneeded --remove-section=.comment {} +
    documentation=$stage/usr/share/doc/$package
    mkdir -p "$documentation" "$stage/DEBIAN"
    cp packaging/debian/copyright LICENSE-MIT LICENSE-APACHE "$documentation"
    [ ! -e target/third-party-notices.txt ] || cp target/third-party-notices.txt "$documentation"
    if [ "$package" = gst-mood-onnxruntime ]; then
        mv "$stage/usr/lib/$triplet/onnxruntime/"{LICENSE,ThirdPartyNotices.txt} "$documentation"
        rm "$documentation"/LICENSE-* "$documentation/third-party-notices.txt" 2>/dev/null || true
        sed 's/^License:.*/License: MIT/; s/^Upstream-Name:.*/Upstream-Name: ONNX Runtime/; s/^Copyright:.*/Copyright: Microsoft Corporation/
             s|^Source:.*|Source: https://pypi.org/project/onnxruntime/|; /^Comment:/,$d' \
            packaging/debian/copyright >"$documentation/copyright"
        echo 'Comment: The text is in LICENSE, the licences of what is linked in are in ThirdPartyNotices.txt, beside this file.' \
            >>"$documentation/copyright"
    fi
    printf 'gst-mood (%s) unstable; urgency=medium\n\n  * See https://github.com/gst-mood/gst-mood/blob/main/CHANGELOG.md\n\n -- gst-mood developers <noreply@gst-mood.invalid>  %s\n' \
        "$version" "$(date -u -R -d "@$SOURCE_DATE_EPOCH")" | gzip -9n >"$documentation/changelog.Debian.gz"

    # dpkg-shlibdeps finds out by the symbols that are used which version of a library's package is needed.
    scratch=$out/shlibs
    mkdir -p "$scratch/debian"
    printf 'Source: gst-mood\n\nPackage: %s\nArchitecture: any\n' "$package" >"$scratch/debian/control"
    mapfile -t binaries < <(find "$stage" -type f \( -name '*.so*' -o -path '*/bin/*' \))
    shlibs=$(cd "$scratch" && dpkg-shlibdeps -O "${binaries[@]}" 2>shlibs.log | sed -n 's/^shlibs:Depends=//p') ||
        { cat "$scratch/shlibs.log" >&2; exit 1; }
    {
        sed -n 1p "packaging/debian/$package.control"
        printf 'Version: %s\nArchitecture: %s\nMaintainer: gst-mood developers <noreply@gst-mood.invalid>\n' "$version" "$architecture"
        printf 'Priority: optional\nHomepage: https://github.com/gst-mood/gst-mood\nInstalled-Size: %s\n' "$(du -sk "$stage" | cut -f1)"
        sed -e 1d -e "s#\${shlibs:Depends}#$shlibs#; s#\${onnxruntime}#$onnxruntime#" "packaging/debian/$package.control"
    } >"$stage/DEBIAN/control"
    find "$stage" -type d -exec chmod 755 {} +
    find "$stage" -type f ! -path '*/bin/*' -exec chmod 644 {} +
    (cd "$stage" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$stage/DEBIAN/md5sums"
    # dpkg-deb takes no times later than SOURCE_DATE_EPOCH.
    dpkg-deb --root-owner-group -Zxz --build "$stage" "$out/${package}_${version}_$architecture.deb" >/dev/null
done
rm -r "$out/stage" "$out/shlibs"
ls -l "$out"/*.deb
