// The controls of this device's settings, each bound to its setting (settings.js).

import { element } from "./view.js";

const SETTINGS = { "volume": "volume", "bell-volume": "bellVolume", "keep-awake": "keepAwake", "wall": "wall", "language": "language" };

/** Show the settings in their controls, and call `changed` whenever the owner has changed one. */
export function offerSettings(settings, changed) {
  for (const [id, name] of Object.entries(SETTINGS)) {
    const control = element[id];
    const property = control.type === "checkbox" ? "checked" : "value";
    control[property] = settings[name];
    control.addEventListener("input", () => {
      settings[name] = control.type === "range" ? Number(control.value) : control[property];
      changed();
    });
  }
  element.language.addEventListener("change", () => location.reload());
  element["awake-row"].hidden = !("wakeLock" in navigator);
  element["remote-audio"].volume = 0.5;
  element["volume-row"].hidden = element["remote-audio"].volume !== 0.5; // iOS: only the device's own keys change the volume
}
