// The page's buttons, keys, fingers and headset, each bound to what it does.

import { listenToHeadset } from "./call/headset.js";
import { playAll } from "./call/players.js";
import { slideToAnswer } from "./call/slide.js";
import { listenToKeys } from "./keys.js";
import { element } from "./view.js";

/** Bind the controls: act has answer, hangup, mute, openDoor and the like; sounds is unlocked by any touch or key. */
export function bindControls(act, sounds) {
  const taps = {
    "answer": act.answer, "decline": act.hangup, "hangup": act.hangup, "mute": act.mute, "open-door": act.openDoor, "bell": act.turnOnBell,
    "look-end": act.lookAway, "bell-test": () => sounds.sample(), "retry": act.retry, "error-close": act.closeError, "fit": fillPicture,
  };
  for (const [id, tap] of Object.entries(taps)) element[id].addEventListener("click", () => tap());
  listenToHeadset(act);
  listenToKeys(act);
  slideToAnswer(element.answer, act.answer);
  for (const gesture of ["pointerdown", "keydown"]) {
    document.addEventListener(gesture, ({ target }) => {
      if (!target.closest?.("#bell")) sounds.unlock();
      playAll();
    }, { capture: true });
  }
}

function fillPicture() {
  const filled = document.body.classList.toggle("fill");
  element.fit.setAttribute("aria-pressed", String(filled));
}
