#!/bin/bash
# Tries a command of this checkout as a newcomer meets it: on a Debian with git, make and python3 and nothing else.
#
#   tests/fresh/try.sh                        both commands of the README, on each release, as root and as a user
#   tests/fresh/try.sh all COMMAND ...        these commands, the same way
#   tests/fresh/try.sh RELEASE USER COMMAND   one
#
#   RELEASE  bookworm (Debian 12, Python 3.11) or trixie (Debian 13, Python 3.13)
#   USER     root, or the name of a user who has sudo
#   COMMAND  run by a shell in a clone of this checkout, for example "make test"
#
# The base system is made once by debootstrap and kept; each try is a layer above it that starts empty, in its own
# mount and process namespaces. Nothing outside FRESH_DIR is changed, and what the command started ends with it.
#
#   FRESH_DIR   where the roots are kept (default /var/tmp/intercom-fresh)
#   FRESH_COPY  more files and directories of this machine to copy in, for example a proxy's certificates
#   FRESH_KEEP  1: begin with what the last try of this release and user left behind
set -euo pipefail

skip() {
  echo "SKIPPED: $*"
  exit 0
}

# Each command in a root of its own; in the end its last line and its exit status. A command has an hour and a half.
try_all() {
  [ $# -gt 0 ] || set -- tests/fresh/demo.sh "make test"
  said=$(mktemp)
  table="" failed=0
  for release in bookworm trixie; do
    for user in root anna; do
      for command in "$@"; do
        status=0 began=$SECONDS
        timeout --kill-after=60 90m "$0" "$release" "$user" "$command" 2>&1 | tee "$said" || status=$?
        [ "$status" = 0 ] || failed=1
        table+="$release, $user, $command: status $status after $(((SECONDS - began + 59) / 60)) min: $(tail -n 1 "$said")"$'\n'
      done
    done
  done
  rm "$said"
  printf '\n%s' "$table"
  exit $failed
}

case $#,${1-} in
  0,) try_all ;;
  *,all) shift && try_all "$@" ;;
  3,*) ;;
  *) sed -n '2,/^set/p' "$0" | grep '^#' && exit 2 ;;
esac
release=$1 user=$2 command=$3
checkout=$(realpath "$(dirname "$0")/../..")
fresh=${FRESH_DIR:-/var/tmp/intercom-fresh}
base=$fresh/$release
# This machine's own Debian mirror, without the last part of its path.
mirror=${FRESH_MIRROR:-$(apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' | sed -n 's|^Debian \(.*\)/debian/$|\1|p' | head -n 1)}

[ "$(id -u)" = 0 ] || skip "a root file system is made by root alone: run this as root"
command -v debootstrap >/dev/null || skip "debootstrap is missing: apt-get install debootstrap"
unshare --mount true 2>/dev/null || skip "this machine lets nobody make a mount namespace"

make_base() {
  [ ! -e "$base/.complete" ] || return 0
  rm -rf "$base"
  mkdir -p "$fresh"
  debootstrap --variant=minbase --include=git,make,python3,ca-certificates,sudo "$release" "$base" "$mirror/debian" >&2
  cat >"$base/etc/apt/sources.list" <<SOURCES
deb $mirror/debian $release main
deb $mirror/debian $release-updates main
deb $mirror/debian-security $release-security main
SOURCES
  touch "$base/.complete"
}

# In its own namespaces from here on: what is mounted or started below goes with this process.
if [ -z "${FRESH_INSIDE-}" ]; then
  make_base
  FRESH_INSIDE=1 exec unshare --mount --pid --fork --kill-child "$0" "$@"
fi

layer=$fresh/try-$release-$user
[ "${FRESH_KEEP-}" = 1 ] || rm -rf "$layer"
mkdir -p "$layer/upper" "$layer/work" "$layer/root"
root=$layer/root
mount -t overlay overlay -o "lowerdir=$base,upperdir=$layer/upper,workdir=$layer/work" "$root"
mount -t proc proc "$root/proc"
mount --rbind --make-rslave /sys "$root/sys"
mount --rbind --make-rslave /dev "$root/dev"
mount -t tmpfs -o mode=755 run "$root/run"
mount -t tmpfs -o mode=1777 tmp "$root/tmp"

for path in /etc/resolv.conf /etc/hosts /etc/pip.conf /etc/ssl/certs /usr/local/share/ca-certificates ${FRESH_COPY-}; do
  [ -e "$path" ] || continue
  mkdir -p "$root$(dirname "$path")"
  if [ -d "$path" ]; then
    cp -a --remove-destination --no-target-directory "$path" "$root$path"
  else
    cp -L --remove-destination "$path" "$root$path"
  fi
done

home=/root
if [ "$user" != root ]; then
  home=/home/$user
  [ -d "$root$home" ] || chroot "$root" useradd --create-home --shell /bin/bash --groups sudo "$user"
  echo "$user ALL=(ALL) NOPASSWD: ALL" >"$root/etc/sudoers.d/$user"
fi
[ -d "$root$home/intercom" ] || git clone --quiet --no-hardlinks "$checkout" "$root$home/intercom"
chroot "$root" chown -R "$user:" "$home"

# Of the environment only what a network needs: indexes, proxies and certificates.
mapfile -t network < <(env | grep -E '^(PIP_[A-Z_]+|npm_config_[a-z_]+|SSL_CERT_(FILE|DIR)|NODE_EXTRA_CA_CERTS|[a-zA-Z]+_(proxy|PROXY))=')
echo "--- $release, $user: $command" >&2
groups=$(chroot "$root" id -G "$user" | tr ' ' ,)
# As the root of all its processes, and not by chroot alone: in a chroot nobody makes a namespace of users.
cd "$root"
pivot_root . mnt
umount --lazy /mnt
exec chroot --userspec="$user" --groups="$groups" / \
  env -i HOME="$home" USER="$user" LANG=C.UTF-8 TERM="${TERM:-dumb}" \
  PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "${network[@]}" \
  bash -c "cd ~/intercom && $command"
