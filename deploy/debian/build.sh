#!/usr/bin/env bash
# Builds the Debian package of a published executable: deploy/debian/build.sh EXECUTABLE FOLDER
# The same executable makes the same package, byte by byte. Prints where it is.
set -euo pipefail

if [ "$#" -ne 2 ] || [ ! -x "$1" ]; then
    echo "usage: deploy/debian/build.sh EXECUTABLE FOLDER; make the executable with:" >&2
    echo "  dotnet publish PolyBalance.Host -c Release -r linux-x64 -o artifacts/publish" >&2
    exit 2
fi

executable="$(realpath "$1")"
mkdir -p "$2"
out="$(realpath "$2")"
cd "$(dirname "$0")/.."

# 0.1.0+1a2b3c4d5 is 0.1.0 for dpkg too; the revision stays in the executable.
version="$("$executable" --version | sed -nE 's/^polybalance ([0-9][0-9.]*).*/\1/p')"
architecture="$(dpkg --print-architecture)"
# Files are dated like the sources: by the latest commit, where there is one.
export SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2> /dev/null || echo 1767225600)}"

root="$(mktemp -d)"
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"
put() { install -D -m "$1" "$2" "$root/$3"; }

put 755 "$executable" usr/bin/polybalance
put 644 systemd/polybalance.service usr/lib/systemd/system/polybalance.service
put 644 systemd/polybalance.socket usr/lib/systemd/system/polybalance.socket
put 644 systemd/polybalance.sysusers usr/lib/sysusers.d/polybalance.conf
put 644 ../polybalance.yaml etc/polybalance/polybalance.yaml
sed -i '1s|\$schema=.*|$schema=/usr/share/polybalance/polybalance.schema.json|' "$root/etc/polybalance/polybalance.yaml"

# A command that fails ends the script here; behind && or in a pipe's first half it would not.
generate() { "$executable" "${@:2}" > "$root/generated"; put 644 "$root/generated" "$1"; }
generate usr/share/polybalance/polybalance.schema.json schema
generate usr/share/bash-completion/completions/polybalance completion bash
generate usr/share/zsh/vendor-completions/_polybalance completion zsh
generate usr/share/fish/vendor_completions.d/polybalance.fish completion fish
generate usr/share/man/man1/polybalance.1 manual
gzip -9n "$root/usr/share/man/man1/polybalance.1"
put 644 ../PolyBalance.Host/CHANGELOG.md usr/share/doc/polybalance/changelog
gzip -9n "$root/usr/share/doc/polybalance/changelog"
rm "$root/generated"
put 644 debian/copyright usr/share/doc/polybalance/copyright

for script in postinst prerm postrm; do
    put 755 "debian/$script" "DEBIAN/$script"
done
echo /etc/polybalance/polybalance.yaml > "$root/DEBIAN/conffiles"
size="$(du -sk --exclude=DEBIAN "$root" | cut -f1)"
sed -e "s/@VERSION@/$version/" -e "s/@ARCHITECTURE@/$architecture/" -e "s/@SIZE@/$size/" debian/control \
    > "$root/DEBIAN/control"
(cd "$root" && find usr -type f -print0 | sort -z | xargs -0 md5sum > DEBIAN/md5sums)
find "$root" -exec touch --no-dereference --date "@$SOURCE_DATE_EPOCH" {} +

package="$out/polybalance_${version}_$architecture.deb"
dpkg-deb --root-owner-group --build "$root" "$package" > /dev/null
echo "$package"
