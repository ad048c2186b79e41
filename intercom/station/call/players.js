// The players of the call's picture and sound.

import { element } from "../view.js";

/** Play the streams of a call, or none. */
export function play({ video, audio }) {
  attach(element["remote-video"], video);
  attach(element["remote-audio"], audio);
}

/** Play the sound at the next tap: without one since the page was loaded, a browser may play nothing. */
export function playAll() {
  for (const player of [element["remote-audio"], element["remote-video"]]) {
    if (player.srcObject && player.paused) player.play().catch(() => {}); // it was closed meanwhile
  }
}

function attach(player, stream) {
  if (player.srcObject === stream) return;
  player.srcObject = stream;
  if (stream) player.play().catch(() => {}); // it was closed meanwhile, or the tap that answers starts it
}
