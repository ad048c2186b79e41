// A headset's button and the device's media keys: they answer, end and mute a call where the browser passes them on.

const PRESSES = ["play", "pause", "stop"]; // a headset with one button sends one of these

/** Call act.answer, .hangup or .mute for a button; each returns whether it did something. */
export function listenToHeadset(act) {
  const actions = { hangup: act.hangup, togglemicrophone: act.mute };
  for (const press of PRESSES) actions[press] = () => act.answer() || act.hangup();
  for (const [name, action] of Object.entries(actions)) {
    try {
      navigator.mediaSession?.setActionHandler(name, action);
    } catch {
      // this browser passes the button on to nobody
    }
  }
}

/** Show the system what its own controls are to show of the call. */
export function showHeadset({ state, call }) {
  const session = navigator.mediaSession;
  if (!session) return;
  session.playbackState = state === "in-call" ? "playing" : "none";
  session.setMicrophoneActive?.(state === "in-call" && !call.muted);
}
