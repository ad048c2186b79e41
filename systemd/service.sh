# What happens on the machine once the files are there, and after they went: the user, the device rules, the traces.
# Sourced by install.sh and written into the maintainer scripts of the .deb, so that both do the same.
# shellcheck shell=sh

UNITS="intercom-space.service intercom.service"
STATE=/var/lib/intercom
SETTINGS=/etc/intercom

has_systemd() { [ -d /run/systemd/system ]; }

# A call in progress goes on: a change waits for its end, but no longer than a call can last. A program that does not
# run, hangs, or is too old to know the word is not waited for. Nothing stands between this and what it waits for: a call
# that begins meanwhile would be cut.
wait_for_calls() {
  [ ! -x /opt/intercom/bin/intercom ] || /opt/intercom/bin/intercom wait 2>/dev/null || true
}

make_user() {
  systemd-sysusers intercom.conf
  # Raspberry Pi OS gives the GPIO chips to a group of their own; elsewhere our own rule gives them to intercom.
  if getent group gpio >/dev/null; then
    usermod --append --groups gpio intercom
  fi
  systemd-tmpfiles --create intercom.conf || true # a root that is only being made has no /proc; the boot does it
}

apply_device_rules() {
  if command -v udevadm >/dev/null && [ -e /run/udev/control ]; then
    udevadm control --reload
    udevadm trigger --action=change --subsystem-match=gpio --subsystem-match=dma_heap || true
  fi
}

purge_everything() {
  rm -rf "$STATE" "$SETTINGS" /run/intercom /opt/intercom
  rm -f /etc/udev/rules.d/85-intercom-sound.rules # of \`intercom devices pin\`
  for unit in $UNITS; do
    rm -rf "/etc/systemd/system/$unit.d"
  done
  if getent passwd intercom >/dev/null; then
    userdel intercom || true
  fi
  if getent group intercom >/dev/null; then
    groupdel intercom || true
  fi
}
