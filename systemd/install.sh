#!/bin/sh
# Installs the door station on this machine as a service, from this checkout; or removes it.
#
#   systemd/install.sh install            what is there of an older version is replaced; settings and state stay
#   systemd/install.sh uninstall          settings, state and the user stay
#   systemd/install.sh uninstall purge    nothing stays
set -eu
cd "$(dirname "$0")/.."
. systemd/service.sh

PLACE=/opt/intercom
LIST=$PLACE/installed-files

say() { printf '%s\n' "$*" >&2; }
stop() {
  say "install: $*"
  exit 1
}

is_in_a_package() { dpkg-query --search $PLACE >/dev/null 2>&1; }

# What pip must not take from the system while it installs, the program may use: picamera2 and lgpio are the system's.
system_packages() { sed -i "s/^include-system-site-packages = .*/include-system-site-packages = $1/" $PLACE/pyvenv.cfg; }

fits_this_python() {
  [ "$($PLACE/bin/python3 -c 'import sys; print(sys.prefix, sys.base_prefix, sys.version_info[:2])' 2>/dev/null)" = \
    "$(/usr/bin/python3 -c "import sys; print('$PLACE', sys.prefix, sys.version_info[:2])")" ] &&
    $PLACE/bin/python3 -m pip --version >/dev/null 2>&1
}

install_environment() {
  work=$(mktemp -d)
  trap 'rm -rf "$work"; [ ! -e $PLACE/pyvenv.cfg ] || system_packages true' EXIT
  if ! fits_this_python; then
    say "Making the environment in $PLACE."
    /usr/bin/python3 -m venv --clear $PLACE || stop "the environment could not be made in $PLACE (see above)."
  fi
  # A copy is built: setuptools writes into what it builds, and this checkout is not root's.
  mkdir "$work/source"
  cp -r pyproject.toml README.md LICENSE intercom "$work/source"
  say "Installing the program and its Python packages into $PLACE. The first time this takes some minutes on a Pi."
  system_packages false
  # What the lock names, of these hashes, and nothing else: what builds the binding to the sound card comes first.
  pip="$PLACE/bin/python3 -m pip --quiet --disable-pip-version-check"
  install="$pip install --no-deps --no-compile"
  if ! $install --require-hashes -r requirements-build.lock ||
    ! $install --require-hashes --no-build-isolation --use-pep517 -r requirements.lock ||
    ! $pip wheel --no-deps --no-build-isolation --wheel-dir "$work" "$work/source" ||
    ! $install --force-reinstall "$work"/intercom-*.whl; then
    stop "the Python packages could not be installed (see above). Is the network there? Then run this again."
  fi
  # The services may not write here: what is not compiled now would be compiled at every start.
  $PLACE/bin/python3 -I -W ignore -m intercom.service.bytecode $PLACE/lib ||
    say "The program could not be compiled (see above): going on without, it starts more slowly then."
  why_not=$($PLACE/bin/python3 -I -c 'from intercom.media.native.module import why_not; print(why_not())')
  [ -z "$why_not" ] || say "$why_not: going on without, a call costs more then."
}

# What an older version had and this one has not goes.
lay_files() {
  touch $LIST
  systemd/files.sh >"$work/files"
  grep -vxF -f "$work/files" $LIST | while read -r old; do rm -f "$old"; done || true
  install -m 644 "$work/files" $LIST
}

# What the administrator disabled stays so in an upgrade.
start_services() { # start|restart
  # shellcheck disable=SC2086 # one word per unit
  [ "$1" != start ] || systemctl --quiet enable $UNITS
  if has_systemd; then
    systemctl daemon-reload
    for unit in $UNITS; do
      [ "$1" != restart ] || wait_for_calls
      ! systemctl --quiet is-enabled "$unit" || systemctl "$1" "$unit" ||
        say "$unit did not start: \`intercom status\` and \`journalctl -u $unit\` say why."
    done
  else
    say "systemd does not run here: the services start at the next boot."
  fi
}

# The unit locks the door as it stops (ExecStopPost).
stop_services() {
  if has_systemd; then
    # shellcheck disable=SC2086 # one word per unit
    systemctl stop $UNITS || true
  fi
  # shellcheck disable=SC2086 # the same
  systemctl --quiet disable $UNITS 2>/dev/null || true
}

install_all() {
  is_in_a_package && stop "the package intercom is installed: upgrade that, or \`sudo apt remove intercom\` first."
  action=start
  [ ! -e $LIST ] || action=restart
  ./setup.sh --system
  wait_for_calls
  install_environment
  lay_files
  make_users
  apply_device_rules
  apply_ssh_rules
  start_services $action
  say "Installed. \`sudo intercom setup\` asks what your door has; \`intercom status\` tells what it does."
}

remove_empty() { rmdir --ignore-fail-on-non-empty "$@" 2>/dev/null || true; }

uninstall_all() {
  is_in_a_package && stop "the package intercom is installed: \`sudo apt remove intercom\` (or purge) removes it."
  if [ -d $PLACE ]; then
    stop_services
    [ ! -e $LIST ] || while read -r file; do rm -f "$file"; done <$LIST
    apply_ssh_rules
    remove_empty /usr/share/doc/intercom/hw /usr/share/doc/intercom
    rm -rf $PLACE
    ! has_systemd || systemctl daemon-reload
  elif [ "${1-}" != purge ]; then
    say "Nothing is installed."
    return
  fi
  if [ "${1-}" = purge ]; then
    purge_everything
    say "Removed, with its settings, its state and its user."
  else
    say "Removed. $SETTINGS and the state in /var/lib stay: \`make uninstall PURGE=1\` removes them as well."
  fi
}

if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || stop "neither root nor sudo: run this as root."
  exec sudo "$PWD/systemd/install.sh" "$@"
fi
case "${1-} ${2-}" in
  "install ") install_all ;;
  "uninstall ") uninstall_all ;;
  "uninstall purge") uninstall_all purge ;;
  *) stop "usage: systemd/install.sh install | uninstall [purge]" ;;
esac
