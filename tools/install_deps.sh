#!/bin/bash
# SPDX-License-Identifier: MIT
# Installs what is missing of tools/dependencies.txt for a group (build, demo, test, hip, micro or lint; the
# default is test): Debian packages with apt-get (as root; otherwise it names them and fails), PyPI packages into
# the virtual environment build/deps. Does nothing, quickly, when all is there.
set -euo pipefail
cd "$(dirname "$0")/.."
group=${1:-test}
list=tools/dependencies.txt
deps=build/deps

case $group in
    build) groups=(build) ;;
    demo) groups=(build demo) ;;
    test) groups=(build demo test) ;;
    hip) groups=(build demo test hip) ;;
    micro) groups=(build demo test micro) ;;
    lint) groups=(build lint) ;;
    *) echo "usage: tools/install_deps.sh [build|demo|test|hip|micro|lint]" >&2; exit 2 ;;
esac

# section KIND GROUP: the entries under [KIND GROUP]
section() {
    local line in=0
    while IFS= read -r line; do
        case $line in
            "[$1 $2]") in=1 ;;
            "["*) in=0 ;;
            "" | "#"*) ;;
            *) if [ $in = 1 ]; then printf '%s\n' "$line"; fi ;;
        esac
    done <$list
}

missing=()
for g in "${groups[@]}"; do
    mapfile -t packages < <(section debian "$g")
    [ ${#packages[@]} -gt 0 ] || continue
    have=" $(dpkg-query -W -f='${Package}:${db:Status-Status} ' "${packages[@]}" 2>/dev/null || true) "
    for p in "${packages[@]}"; do
        [[ $have == *" $p:installed "* ]] || missing+=("$p")
    done
done
if [ ${#missing[@]} -gt 0 ]; then
    if [ "$(id -u)" != 0 ]; then
        echo "install_deps: these Debian packages are missing; as root run" >&2
        echo "    apt-get install --no-install-recommends ${missing[*]}" >&2
        exit 1
    fi
    echo "+ apt-get install ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq </dev/null
    apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null >/dev/null
fi

if ! [ -x $deps/bin/python ] || ! $deps/bin/python -c pass 2>/dev/null; then
    echo "+ /usr/bin/python3 -m venv $deps"
    mkdir -p build
    rm -rf $deps
    /usr/bin/python3 -m venv $deps
fi
for g in "${groups[@]}"; do
    wanted=$(section pypi "$g")
    stamp=$deps/.installed-$g
    [ -n "$wanted" ] || continue
    if [ -f $stamp ] && [ "$(<$stamp)" = "$wanted" ]; then
        continue
    fi
    mapfile -t full < <(grep -v -e '--no-deps' <<<"$wanted" || true)
    mapfile -t bare < <(grep -e '--no-deps' <<<"$wanted" | sed 's/ --no-deps//' || true)
    pip=($deps/bin/python -m pip --disable-pip-version-check install --quiet --no-input)
    if [ ${#full[@]} -gt 0 ]; then
        echo "+ pip install ${full[*]}"
        # pip complains about packages that were installed with --no-deps on purpose
        "${pip[@]}" "${full[@]}" </dev/null 2> >(grep -vE "pip's dependency resolver|which is not installed" >&2)
    fi
    if [ ${#bare[@]} -gt 0 ]; then
        echo "+ pip install --no-deps ${bare[*]}"
        "${pip[@]}" --no-deps "${bare[@]}" </dev/null
    fi
    printf '%s' "$wanted" >$stamp
done
