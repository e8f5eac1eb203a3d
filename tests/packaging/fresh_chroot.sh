#!/bin/sh
# Proves the promises of a fresh machine: makes a Debian with `make python3 python3-venv ca-certificates` and nothing
# else, puts a clean clone of HEAD and the shared material into it, and runs make there.
#
#   tests/packaging/fresh_chroot.sh demo        (any make targets, in this order; default: demo test)
#
# Needs root, mmdebstrap, git. KEEP=1 leaves the chroot for a look. Additional certificate authorities of this machine
# (/usr/local/share/ca-certificates) are taken along, settings of pip and uv are not. Mounts and processes live in
# namespaces of their own and end with this script.
set -eu
project=$(cd "$(dirname "$0")/../.." && pwd)
shared=${INTERMEDIARY_SHARED:-$project/../shared}
suite=${SUITE:-bookworm}
root=$(mktemp -d "${TMPDIR:-/tmp}/intermediary-fresh.XXXXXX")
trap '[ "${KEEP:-}" = 1 ] && echo "kept: $root" || rm -rf --one-file-system "$root"' EXIT
trap 'exit 130' HUP INT TERM

started=$(date +%s)
mmdebstrap --quiet --mode=root --variant=minbase --include=make,python3,python3-venv,ca-certificates "$suite" "$root"
echo "fresh_chroot: $suite made in $(($(date +%s) - started)) s"

cp -L /etc/resolv.conf /etc/hosts "$root/etc/" 2>/dev/null || true
if ls /usr/local/share/ca-certificates/*.crt >/dev/null 2>&1; then
    mkdir -p "$root/usr/local/share/ca-certificates"
    cp /usr/local/share/ca-certificates/*.crt "$root/usr/local/share/ca-certificates/"
    chroot "$root" update-ca-certificates >/dev/null 2>&1
fi
mkdir -p "$root/shared"
git clone --quiet --no-hardlinks "$project" "$root/intermediary"

inside=$(dirname "$0")/inside_chroot.sh
for target in ${*:-demo test}; do
    started=$(date +%s)
    unshare --mount --pid --fork --kill-child --mount-proc="$root/proc" "$inside" "$root" "$shared" \
        make -C /intermediary --no-print-directory "$target" </dev/null
    echo "fresh_chroot: make $target in $(($(date +%s) - started)) s"
done
