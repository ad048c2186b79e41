# What happens on the machine once the files are there, and after they went: the user, the device rules, the traces.
# Sourced by install.sh and written into the maintainer scripts of the .deb, so that both do the same.
# shellcheck shell=sh

UNITS="intercom-space.service intercom.service"
STATE="/var/lib/intercom /var/lib/intercom-space"
SETTINGS=/etc/intercom

has_systemd() { [ -d /run/systemd/system ]; }

# A call in progress goes on: a change waits for its end, but no longer than a call can last. A program that does not
# run, hangs, or is too old to know the word is not waited for. Nothing stands between this and what it waits for: a call
# that begins meanwhile would be cut.
wait_for_calls() {
  [ ! -x /opt/intercom/bin/intercom ] || /opt/intercom/bin/intercom wait 2>/dev/null || true
}

make_users() {
  # Of an older version: that home was the state directory, and the service could prepare there what a session of SSH
  # does. usermod refuses while anything of that user runs; the lock is vipw's.
  if getent passwd intercom | grep -q ':/var/lib/intercom:'; then
    VISUAL="sed -i 's|^\(intercom:.*\):/var/lib/intercom:|\1:/:|'" vipw -q -p >/dev/null
  fi
  systemd-sysusers intercom.conf
  # Raspberry Pi OS gives the GPIO chips to a group of their own; elsewhere our own rule gives them to intercom.
  if getent group gpio >/dev/null; then
    usermod --append --groups gpio intercom
  fi
  # The keys that open the door stand in it: both services read it, by the space's group, and nobody else does.
  if [ -f "$SETTINGS/intercom.toml" ]; then
    chgrp intercom-space "$SETTINGS/intercom.toml"
    chmod 640 "$SETTINGS/intercom.toml"
  fi
  systemd-tmpfiles --create intercom.conf || true # a root that is only being made has no /proc; the boot does it
}

# sshd reads its files once. One that does not run, or is not there, reads them when it starts.
apply_ssh_rules() {
  if has_systemd; then
    systemctl reload ssh 2>/dev/null || true
  fi
}

apply_device_rules() {
  if command -v udevadm >/dev/null && [ -e /run/udev/control ]; then
    udevadm control --reload
    udevadm trigger --action=change --subsystem-match=gpio --subsystem-match=dma_heap || true
  fi
}

purge_everything() {
  # shellcheck disable=SC2086 # one word per directory
  rm -rf $STATE /var/lib/.intercom-space.new "$SETTINGS" /run/intercom /opt/intercom
  rm -f /etc/udev/rules.d/85-intercom-sound.rules # of \`intercom devices pin\`
  for unit in $UNITS; do
    rm -rf "/etc/systemd/system/$unit.d"
  done
  for user in intercom intercom-space; do
    if getent passwd $user >/dev/null; then
      userdel $user || true
    fi
    if getent group $user >/dev/null; then
      groupdel $user || true
    fi
  done
}
