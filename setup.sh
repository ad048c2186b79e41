#!/bin/sh
# Makes this checkout ready to run: the system packages it needs, and its Python packages in .venv.
#
#   ./setup.sh          what `make demo` needs
#   ./setup.sh --test   what `make test` needs as well
#   ./setup.sh --bench  what `make bench` needs as well: other people's software to measure beside, and speech
#   ./setup.sh --system what `make install` needs of the system, and nothing else
#
# It may be run again at any time: what is there already is left as it is. PYTHON=/path/to/python3
# chooses another Python.
set -eu
cd "$(dirname "$0")"

PYTHON=${PYTHON:-python3}
VENV=.venv
WITH_TESTS=no
WITH_BENCHES=no
ONLY_SYSTEM=no

say() { printf '%s\n' "$*" >&2; }
stop() {
  say "setup: $*"
  exit 1
}

case "${1-}" in
  "") ;;
  --test) WITH_TESTS=yes ;;
  --bench) WITH_TESTS=yes WITH_BENCHES=yes ;;
  # The system's own Python: its picamera2 and lgpio are made for no other.
  --system) ONLY_SYSTEM=yes PYTHON=/usr/bin/python3 ;;
  *) stop "unknown argument $1. Usage: ./setup.sh [--test | --bench | --system]" ;;
esac

# --- What is there -----------------------------------------------------------------------------

has_program() { command -v "$1" >/dev/null 2>&1; }
has_package() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }
has_file() { [ -e "$1" ]; }
has_module() { "$PYTHON" -c "import $1" 2>/dev/null; }
has_python_headers() {
  "$PYTHON" -c 'import os, sysconfig as s; raise SystemExit(not os.path.exists(s.get_path("include") + "/Python.h"))'
}
has_library() { "$PYTHON" -c 'import sys, ctypes.util as c; raise SystemExit(not c.find_library(sys.argv[1]))' "$1"; }
is_raspberry_pi_os() { [ -e /etc/rpi-issue ]; }
is_raspberry_pi() { is_raspberry_pi_os || grep -qs "Raspberry Pi" /proc/device-tree/model; }

MISSING=""
WANTED=""
# need PACKAGE REASON CHECK [ARGUMENT]: note a package whose check fails.
need() {
  package=$1 reason=$2
  shift 2
  "$@" && return
  [ -n "$MISSING" ] || say "This needs system packages that are not installed yet:"
  say "$(printf '  %-20s %s' "$package" "$reason")"
  MISSING="$MISSING $package"
}
# want PACKAGE REASON CHECK [ARGUMENT]: the same for one that may stay away, as where there is no network.
want() {
  package=$1 reason=$2
  shift 2
  "$@" && return
  say "It would be better with the system package $package: it $reason."
  WANTED="$WANTED $package"
}

find_missing() {
  need python3-venv "makes the virtual environment" has_module ensurepip
  need libpython3-dev "builds the binding to the sound card (no wheels exist) and what is compiled here" has_python_headers
  need gcc "the same" has_program gcc
  need libasound2-dev "the same" has_file /usr/include/alsa/asoundlib.h
  need libopus0 "the calls' audio codec" has_library opus
  want libspeexdsp1 "stands in for the compiled echo filter, and is what the tests measure it by" has_library speexdsp
  want espeak-ng "speaks to the visitor, where prompts.languages says so" has_program espeak-ng
  if is_raspberry_pi_os; then
    need python3-picamera2 "the Raspberry Pi camera" has_package python3-picamera2
  fi
  if is_raspberry_pi; then
    need python3-lgpio "button, lights and relay" has_package python3-lgpio
  fi
  [ "$ONLY_SYSTEM" = no ] || need systemd "runs the door station" has_program systemd-sysusers
  [ "$WITH_TESTS" = yes ] || return 0
  need chromium "the browser of the tests" has_file /usr/bin/chromium
  need firefox-esr "the other browser of the tests" has_file /usr/bin/firefox-esr
  need pulseaudio "the tests' sound card" has_program pulseaudio
  need pulseaudio-utils "the same" has_program pacat
  need libasound2-plugins "the same" has_package libasound2-plugins
  need coturn "a TURN server, which the unmodified reference client insists on" has_program turnserver
  need mosquitto "an MQTT broker" has_file /usr/sbin/mosquitto
  need mosquitto-clients "other programs at that broker" has_program mosquitto_sub
  need nginx-light "a reverse proxy in front of the space" has_file /usr/sbin/nginx
  need openssh-server "commands over SSH" has_file /usr/sbin/sshd
  need openssh-client "the same" has_program ssh-keygen
  need gcc-aarch64-linux-gnu "builds the .deb for a Raspberry Pi" has_program aarch64-linux-gnu-gcc
  need mmdebstrap "the same: its headers" has_program mmdebstrap
  need uidmap "the same, for who is not root" has_program newuidmap
  need dpkg-dev "makes a repository of packages" has_program dpkg-scanpackages
  need gnupg "the same: signs it" has_program gpg
  need gpgv "the same: checks it" has_program gpgv
  want qemu-user-static "runs the .deb's program on a Raspberry Pi's processor in a test, which is skipped else" \
    has_program qemu-aarch64-static
  need iproute2 "makes the network namespaces in which cables are pulled" has_program tc
  need procps "the same" has_program sysctl
  need openssl "looks at certificates from outside" has_program openssl
  want lego "gets certificates by ACME, of which a test is skipped else" has_program lego
  want pebble "is the ACME server of that test" has_program pebble
  need libnss3-tools "lets the browsers of the tests trust the house's CA" has_program certutil
  want gstreamer1.0-tools "watches the door by RTSP in a test, which is skipped else" has_program gst-launch-1.0
  want gstreamer1.0-plugins-good "the same" has_package gstreamer1.0-plugins-good
  want gir1.2-gstreamer-1.0 "lets it talk at the door" has_package gir1.2-gstreamer-1.0
  want python3-gi "the same" has_package python3-gi
  need systemd "judges the units of the services" has_program systemd-analyze
  need man-db "reads the manual page" has_program man
  need asterisk-core-sounds-en-g722 "recorded speech to try sound with" has_package asterisk-core-sounds-en-g722
  need espeak-ng "the door's prompts, and voices that must not be taken for keys" has_program espeak-ng
  [ "$WITH_BENCHES" = yes ] || return 0
  need g++ "builds the measure of speech quality" has_program g++
  want qemu-system-arm "counts instructions on a Raspberry Pi's processor, in the bench named pi" has_program qemu-system-aarch64
  want qemu-utils "does the same" has_program qemu-img
}

# --- System packages ---------------------------------------------------------------------------

as_root() {
  if [ "$(id -u)" = 0 ]; then
    env DEBIAN_FRONTEND=noninteractive "$@"
  else
    sudo env DEBIAN_FRONTEND=noninteractive "$@"
  fi
}

# The tests run programs that come with a service of their own. It is masked before it is installed, so that it
# neither starts now nor at the next boot; a service that is already on the machine is left alone.
mask_service() {
  case " $MISSING " in *" $1 "*) ;; *) return 0 ;; esac
  [ ! -e "$2/$3" ] || return 0
  say "The service $3 of $1 is kept from starting, now and at boot: the tests start their own."
  say "  To have it after all: sudo rm $2/$3   (apt will say that it cannot preset it: that is this)"
  as_root mkdir -p "$2"
  as_root ln -s /dev/null "$2/$3"
}

install_missing() {
  [ -n "$MISSING$WANTED" ] || return 0
  if [ -z "$MISSING" ] && ! { has_program apt-get && { [ "$(id -u)" = 0 ] || has_program sudo; }; }; then
    return 0
  fi
  has_program apt-get || stop "there is no apt-get here: install what your system calls these packages, then run this again."
  if [ "$(id -u)" != 0 ] && ! has_program sudo; then
    stop "neither root nor sudo: ask an administrator to run  apt-get install --no-install-recommends$MISSING"
  fi
  mask_service coturn /etc/systemd/system coturn.service
  mask_service mosquitto /etc/systemd/system mosquitto.service
  mask_service nginx-light /etc/systemd/system nginx.service
  mask_service openssh-server /etc/systemd/system ssh.service
  mask_service pulseaudio /etc/systemd/user pulseaudio.service
  mask_service pulseaudio /etc/systemd/user pulseaudio.socket
  say "Installing with apt-get."
  as_root apt-get -q update || say "setup: the package lists could not be renewed; going on with the old ones."
  # shellcheck disable=SC2086 # one word per package
  as_root apt-get -q -y install --no-install-recommends $MISSING ||
    stop "apt-get could not install the packages (see above). Mend that, then run this again."
  # shellcheck disable=SC2086 # the same
  as_root apt-get -q -y install --no-install-recommends $WANTED || say "setup: going on without$WANTED."
}

# --- Python packages ---------------------------------------------------------------------------

# Its programs name their own path: an environment that was moved or half made is made anew.
has_working_venv() {
  "$VENV/bin/python" -c 'import pip' 2>/dev/null && head -n 3 "$VENV/bin/pip" | grep -qF "$(pwd -P)/$VENV/bin/"
}

make_venv() {
  ! has_working_venv || return 0
  say "Making the virtual environment in $VENV."
  options=--clear
  if is_raspberry_pi_os; then
    # picamera2 and lgpio are the system's: they fit its camera stack and its kernel.
    options="--clear --system-site-packages"
  fi
  # shellcheck disable=SC2086 # one word per option
  "$PYTHON" -m venv $options "$VENV" || stop "the virtual environment could not be made in $PWD/$VENV (see above)."
}

# What the lock names, of these hashes, and nothing else: what builds the binding to the sound card comes first.
install_python_packages() {
  lock=requirements.lock
  [ "$WITH_TESTS" = no ] || lock=requirements-test.lock
  [ "$WITH_BENCHES" = no ] || lock=requirements-bench.lock
  pip="$VENV/bin/python -m pip --quiet --disable-pip-version-check install --no-deps --no-compile"
  say "Installing the Python packages into $VENV. The first time this takes a minute or two."
  rm -f "$COMPILED"
  if ! $pip --require-hashes -r requirements-build.lock ||
    ! $pip --require-hashes --no-build-isolation --use-pep517 -r $lock ||
    ! $pip --no-build-isolation -e .; then
    stop "the Python packages could not be installed (see above). Is the network there? Then run this again."
  fi
  # On all processors, where pip takes one. What does not compile is compiled when it is loaded, or never.
  "$VENV/bin/python" -m compileall -q -j 0 "$VENV/lib" >/dev/null 2>&1 || true
  [ ! -e "$COMPILED" ] || compiled_of >"$VENV/.compiled"
}

# What is compiled of the program itself, made anew when a source is another: pip does so only when it installs. The
# program does without it, but not with what was made from other sources.
COMPILED=intercom/media/native/_native.abi3.so
compiled_of() { { cat intercom/media/native/*.[ch] pyproject.toml && "$VENV/bin/python" -VV; } | sha256sum; }
compile_program() {
  [ ! -e "$COMPILED" ] || [ "$(cat "$VENV/.compiled" 2>/dev/null)" != "$(compiled_of)" ] || return 0
  made=$VENV/.compiling
  rm -rf "$COMPILED" "$made"
  said=$("$VENV/bin/python" -W ignore -c 'import setuptools; setuptools.setup()' -q \
    build_ext --inplace --force --build-lib "$made" --build-temp "$made" 2>&1) || true
  rm -rf "$made"
  if [ -e "$COMPILED" ]; then
    compiled_of >"$VENV/.compiled"
  else
    say "$said"
    say "setup: the program's C sources could not be compiled (see above); going on without: a call costs more then."
  fi
}

# A real Home Assistant for the tests, in an environment of its own in the user's cache, where there is a Python for it.
# It takes as long as the Python packages, so it is installed beside them.
install_home_assistant() {
  [ "$WITH_TESTS" = yes ] || return 0
  "$PYTHON" -m tests.integrations.mqtt.home_assistant_installed >&2 ||
    say "setup: going on without Home Assistant; the tests with it are skipped."
}

# What the environment was made from: when it is the same again, there is nothing to do.
fingerprint() {
  { cat pyproject.toml requirements*.lock tests/integrations/mqtt/home_assistant.lock setup.sh && echo "$PWD" && "$PYTHON" -c 'import sys; print(sys.version_info[:2], sys.base_prefix)'; } |
    sha256sum
}

is_done() { [ -e "$VENV/.$1" ] && [ "$(cat "$VENV/.$1")" = "$NOW" ] && [ -x "$VENV/bin/intercom" ]; }

# --- The set-up itself -------------------------------------------------------------------------

has_program "$PYTHON" || stop "there is no $PYTHON: install Python 3.11 or newer."
has_module tomllib || stop "$PYTHON is too old: Intercom needs Python 3.11 or newer. PYTHON=... names another one."
if [ "$ONLY_SYSTEM" = yes ]; then
  find_missing
  install_missing
  exit 0
fi
NOW=$(fingerprint)
if [ "$WITH_BENCHES" = yes ]; then
  DONE=set-up-with-benches
elif [ "$WITH_TESTS" = yes ]; then
  DONE=set-up-with-tests
else
  DONE=set-up
fi
# What there is for more serves for less.
if is_done "$DONE" || is_done set-up-with-benches || { [ "$WITH_BENCHES" = no ] && is_done set-up-with-tests; }; then
  compile_program
  exit 0
fi
find_missing
install_missing
trap wait EXIT
install_home_assistant &
make_venv
install_python_packages
compile_program
wait
printf '%s\n' "$NOW" >"$VENV/.$DONE"
say "Ready."
