#!/bin/bash
# SPDX-License-Identifier: MIT
# Proves that nothing hand-installed is needed: makes a bare Debian 12 (debootstrap, with git, make and a
# compiler only), clones the committed tree into it and runs there `make demo` and `make test`, or the make
# words given. Root only. The base system is kept in build/bare and reused; --new makes it again.
#
# usage: tools/fresh_clone.sh [--new] [WORD...]
set -euo pipefail
cd "$(dirname "$0")/.."
[ "$(id -u)" = 0 ] || { echo "fresh_clone: expected to be run as root" >&2; exit 2; }
if [ "${IN_NAMESPACE:-}" != 1 ]; then
    IN_NAMESPACE=1 exec unshare --mount "$0" "$@" # mounts below end with this process
fi
base=$PWD/build/bare
root=$PWD/build/bare-run
if [ "${1:-}" = --new ]; then
    rm -rf "$base"
    shift
fi
words=("$@")
[ ${#words[@]} -gt 0 ] || words=(demo test)

if [ ! -x "$base/usr/bin/g++" ]; then
    command -v debootstrap >/dev/null || apt-get install -y -qq debootstrap >/dev/null
    echo "+ debootstrap bookworm $base"
    mkdir -p "$base"
    debootstrap --variant=minbase --include=ca-certificates,git,make,g++ bookworm "$base" \
        http://deb.debian.org/debian >"$base.log" 2>&1 || { tail "$base.log"; exit 1; }
    # How this machine reaches the package registries, and nothing else of it.
    rm -f "$base/etc/apt/sources.list"
    cp -r /etc/apt/sources.list.d/. "$base/etc/apt/sources.list.d/"
    [ ! -e /etc/apt/sources.list ] || cp -L /etc/apt/sources.list "$base/etc/apt/"
    for f in /etc/apt/apt.conf.d/*artifact-registry* /etc/pip.conf /etc/resolv.conf /etc/hosts; do
        [ ! -e "$f" ] || cp -L "$f" "$base$f"
    done
    cp -L /etc/ssl/certs/ca-certificates.crt "$base/etc/ssl/certs/"
fi

rm -rf "$root"
cp -a "$base" "$root"
# --one-file-system: should a mount survive, what it shows is not removed with the folder.
trap 'umount -R "$root/dev" "$root/proc" 2>/dev/null || true; rm -rf --one-file-system "$root"' EXIT
git clone -q . "$root/work/main"
if [ -d ../shared/models ]; then
    mkdir -p "$root/work/shared"
    cp -r ../shared/models "$root/work/shared/"
fi
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --make-rslave "$root/dev"
code=0
for word in "${words[@]}"; do
    begun=$SECONDS
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LANG=C.UTF-8 \
        chroot "$root" /bin/bash -c "cd /work/main && make $word" || code=$?
    echo "fresh_clone: make $word took $((SECONDS - begun)) s, exit code $code"
    [ $code = 0 ] || break
done
exit $code
