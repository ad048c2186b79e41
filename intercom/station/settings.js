// The resident's settings on this device, kept in localStorage.

const STORAGE_KEY = "intercom.settings";
const DEFAULTS = { volume: 100, bellVolume: 80, keepAwake: false, wall: false, language: "", microphone: "", speaker: "" }; // volumes in percent; "": the browser's own choice

export function loadSettings() {
  try {
    return { ...DEFAULTS, ...JSON.parse(localStorage.getItem(STORAGE_KEY)) };
  } catch {
    return { ...DEFAULTS };
  }
}

export function saveSettings(settings) {
  localStorage.setItem(STORAGE_KEY, JSON.stringify(settings));
}
