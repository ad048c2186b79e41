// The keyboard: Enter or Space answers, Escape hangs up, M mutes, O opens the door; so do the keys of a headset that the
// browser passes on as such.

/** Call act.answer, .hangup, .mute or .openDoor for its key, unless the key is meant for a field. */
export function listenToKeys(act) {
  document.addEventListener("keydown", (event) => {
    if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const dialog = document.querySelector("dialog[open]"); // Escape closes it
    const field = event.target.closest?.("input:not([type=range]):not([type=checkbox]), textarea, select");
    const control = event.target.closest?.("button, summary, input, a");
    const actions = {
      "Enter": control ? null : act.answer,
      " ": control ? null : act.answer,
      "Escape": dialog ? null : act.hangup,
      "m": field ? null : act.mute,
      "HeadsetHook": () => act.answer() || act.hangup(),
      "Call": act.answer,
      "EndCall": act.hangup,
      "MicrophoneToggle": act.mute,
      "o": field ? null : act.openDoor,
    };
    const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (action?.()) event.preventDefault();
  });
}
