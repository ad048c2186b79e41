# What happens on the machine once the files are there, and before they go: the user, the device rules, the services.
# Sourced by install.sh and written into the maintainer scripts of the .deb, so that both do the same.
# shellcheck shell=sh

UNITS="intercom-space.service intercom.service"
STATE=/var/lib/intercom
SETTINGS=/etc/intercom

has_systemd() { [ -d /run/systemd/system ]; }

make_user() {
  systemd-sysusers intercom.conf
  # Raspberry Pi OS gives the GPIO chips to a group of their own; elsewhere our own rule gives them to intercom.
  if getent group gpio >/dev/null; then
    usermod --append --groups gpio intercom
  fi
  systemd-tmpfiles --create intercom.conf
}

apply_device_rules() {
  if command -v udevadm >/dev/null && [ -e /run/udev/control ]; then
    udevadm control --reload
    udevadm trigger --action=change --subsystem-match=gpio --subsystem-match=dma_heap || true
  fi
}

# start_services start|restart: enable what the administrator has not disabled, and start it.
start_services() {
  for unit in $UNITS; do
    deb-systemd-helper unmask "$unit" >/dev/null || true
    if deb-systemd-helper --quiet was-enabled "$unit"; then
      deb-systemd-helper enable "$unit" >/dev/null || true
    else
      deb-systemd-helper update-state "$unit" >/dev/null || true
    fi
  done
  if has_systemd; then
    systemctl --system daemon-reload
    # shellcheck disable=SC2086 # one word per unit
    deb-systemd-invoke "$1" $UNITS || true
  fi
}

# The unit locks the door as it stops (ExecStopPost).
stop_services() {
  if has_systemd; then
    # shellcheck disable=SC2086 # one word per unit
    deb-systemd-invoke stop $UNITS || true
  fi
}

remove_compiled() { find /opt/intercom -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true; }

# After the files are gone: no link may point at a unit that is not there.
forget_services() {
  for unit in $UNITS; do
    deb-systemd-helper purge "$unit" >/dev/null || true
    deb-systemd-helper unmask "$unit" >/dev/null || true
  done
  if has_systemd; then
    systemctl --system daemon-reload || true
  fi
}

purge_everything() {
  rm -rf "$STATE" "$SETTINGS" /run/intercom /opt/intercom
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
