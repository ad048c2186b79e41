#!/bin/sh
# Lays the system's files of the door station (units, rules, manual, documentation) under DESTINATION and prints the
# path of each. One list for `make install` and for the .deb; the Python environment is not among them.
#
#   systemd/files.sh [DESTINATION]
set -eu
cd "$(dirname "$0")/.."
DESTINATION=${1-}
PROGRAM=/opt/intercom/bin/intercom

put() { # MODE FROM TO
  install -D -m "$1" "$2" "$DESTINATION$3"
  echo "$3"
}

for unit in systemd/*.service; do
  put 644 "$unit" "/usr/lib/systemd/system/$(basename "$unit")"
done
put 644 systemd/intercom.sysusers.conf /usr/lib/sysusers.d/intercom.conf
put 644 systemd/intercom.tmpfiles.conf /usr/lib/tmpfiles.d/intercom.conf
put 644 systemd/intercom.sshd.conf /etc/ssh/sshd_config.d/intercom.conf
put 644 systemd/intercom.udev.rules /usr/lib/udev/rules.d/60-intercom.rules

manual=/usr/share/man/man1/intercom.1.gz
install -d "$DESTINATION$(dirname $manual)"
gzip -9 -n <docs/intercom.1 >"$DESTINATION$manual"
chmod 644 "$DESTINATION$manual"
echo $manual
put 644 docs/intercom.bash /usr/share/bash-completion/completions/intercom

for page in docs/*.md docs/grafana.json hw/*; do
  put 644 "$page" "/usr/share/doc/intercom/${page#docs/}"
done

install -d "$DESTINATION/usr/bin"
ln -sf $PROGRAM "$DESTINATION/usr/bin/intercom"
echo /usr/bin/intercom
