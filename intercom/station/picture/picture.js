// What the stage shows: the call's picture, else the live picture before the answer, else the still, else words.

import { t } from "../language.js";
import { Moving } from "./moving.js";
import { element, setText } from "../view.js";
import { secondsWords, troubleWords } from "../words.js";

const ofCall = new Moving(element["remote-video"]);

/** Show the pictures of a model and a face; to be called at each change, and a few times a second. */
export function renderPicture({ state, call }, face) {
  ofCall.look();
  const called = Boolean(call?.video) && element["remote-video"].videoWidth > 0;
  const live = face.live && !called;
  const still = face.still && !live && !called ? face.still : null;
  const frozen = called ? ofCall.frozen : live && face.frozen;
  show("remote-video", called, frozen);
  show("face", live, frozen);
  show("still", Boolean(still), false);
  if (still && element.still.getAttribute("src") !== still.url) element.still.src = still.url;
  if (!face.still) element.still.removeAttribute("src");
  element.ripple.hidden = state !== "ringing" || live || Boolean(still);
  element.fit.hidden = !called && !live;
  setText(element["no-picture"], called || live ? "" : words(state, call, face));
  element["no-picture"].classList.toggle("over", Boolean(still));
  const ageMs = still ? performance.now() - still.at : called ? ofCall.ageMs : face.ageMs;
  const age = still || frozen ? t(still ? "picture.taken" : "picture.stopped", { time: secondsWords(ageMs) }) : "";
  setText(element["picture-age"], age);
  element["picture-age"].hidden = !age;
}

function show(id, shown, frozen) {
  element[id].classList.toggle("live", shown);
  element[id].classList.toggle("frozen", shown && frozen);
}

function words(state, call, face) {
  const codec = state === "in-call" && call.cannotDecode && !["off", "absent"].includes(face.trouble);
  if (codec || face.trouble) return troubleWords(codec ? "codec" : face.trouble);
  if (state === "in-call") return t(call.status === "connecting" ? "status.connecting" : "trouble.other");
  return "";
}
