# The services of the package, as Debian starts and stops them: what the administrator disabled stays so.

start_services() { # start|restart
  for unit in $UNITS; do
    if deb-systemd-helper --quiet was-enabled "$unit"; then
      deb-systemd-helper enable "$unit" >/dev/null || true
    else
      deb-systemd-helper update-state "$unit" >/dev/null || true
    fi
  done
  if has_systemd; then
    systemctl --system daemon-reload
    [ "$1" != restart ] || wait_for_calls
    deb-systemd-invoke "$1" $UNITS || true
  fi
}

# The unit locks the door as it stops (ExecStopPost).
stop_services() {
  if has_systemd; then
    deb-systemd-invoke stop $UNITS || true
  fi
}

# No link may point at a unit that is not there.
forget_services() {
  for unit in $UNITS; do
    deb-systemd-helper purge "$unit" >/dev/null || true
  done
  if has_systemd; then
    systemctl --system daemon-reload || true
  fi
}

remove_compiled() { find /opt/intercom -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true; }
