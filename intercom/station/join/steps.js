// The steps that prove that a device rings: which of them are done, and the words for each.

import { errorWords, pushWords } from "../words.js";

const BELL = {
  off: "Browsers make no sound before a tap, and ask for the microphone once. It is used during calls only.",
  on: "Allow the microphone now, so that the first answer is quick. It is used during calls only.",
  none: "This device has no loudspeaker that the browser can use: it shows who rings, and cannot sound the bell. Plug one in and reload the page.",
};
const WAKE_FIRST = "A closed page is rung by notifications, which this device does not show. Turn them on first; until then it rings while this page is open.";

/** Return {trust, name, microphone, push, open, closed}: each step as {state: done | todo | cannot, words}. */
export function stepsOf(facts) {
  const { name, named, rangAt } = facts;
  return {
    trust: trust(facts),
    name: named ? step("done", `The house’s other devices know this one as ${name || "yours"}.`)
      : step("todo", "Every page of the house says who answered. Give this device a name that the others know."),
    microphone: microphone(facts),
    push: push(facts),
    open: rangAt ? step("done", `You heard it ${momentWords(rangAt)}.`)
      : step("todo", "The house rings this page now, as it does when somebody is at the door. Say whether you heard it."),
    closed: closed(facts),
  };
}

function trust({ trusted, trustUrl }) {
  if (trusted) return step("done", "This browser trusts the house’s certificate.");
  if (trustUrl) return step("todo", "This browser does not trust the house’s certificate yet, so it cannot ring while this page is closed. A page shows the way; it takes two minutes, once.");
  return step("cannot", "This browser does not trust the certificate that the house shows. Whoever set up the door station can mend that.");
}

function microphone({ microphone: permission, bell }) {
  if (permission === "denied") return step("cannot", errorWords("microphone-refused"));
  if (permission === "granted" && bell === "none") return step("cannot", BELL.none);
  if (permission === "granted" && bell === "on") return step("done", "The bell may sound, and the microphone is allowed.");
  return step("todo", BELL[bell]);
}

function push({ push: state }) {
  if (state === "on") return step("done", pushWords("on"));
  return step(["", "off", "failed"].includes(state) ? "todo" : "cannot", pushWords(state));
}

function closed({ push: state, wokenAt, waking, trouble }) {
  if (wokenAt) return step("done", `You tapped the notification ${momentWords(wokenAt)}.`);
  if (state !== "on") return step("cannot", WAKE_FIRST);
  if (waking === "arrived") return step("todo", "The notification has arrived. Tap it, to say that you saw it.");
  if (trouble) return step("todo", `The last push did not go out: ${trouble}. Turn notifications off and on, then try again.`);
  if (waking === "asked") return step("todo", "Close this page or lock the device now: it rings in a few seconds. Tap the notification. If none comes within a minute, let the browser run in the background, take it out of the battery saver, and try again.");
  return step("todo", "The last proof: you close this page or lock the device, the house rings it, and you tap the notification.");
}

function step(state, words) {
  return { state, words };
}

function momentWords(seconds) {
  return new Date(seconds * 1000).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}

/** Return how far a device of the house is reached, in words: its page, its connection, its push, its last receipt. */
export function deviceWords({ seen_on: seenOn, online, registered_on: registeredOn, push: woken, trouble, shown_at: shownAt }) {
  const page = seenOn ? `page ${seenOn}` : "page never";
  const link = online ? "connected now" : registeredOn ? `connected ${registeredOn}` : "never connected";
  const pushed = trouble ? "push fails" : woken ? "push on" : "push off";
  return `${page}, ${link}, ${pushed}, last receipt ${shownAt ? momentWords(shownAt) : "never"}`;
}

/** Return what to do for a device of the house that is not reached; "" where nothing is missing. */
export function remedyWords({ seen_on: seenOn, online, registered_on: registeredOn, push: woken, trouble, shown_at: shownAt }) {
  if (!seenOn) return "Open its page there.";
  if (!online && !registeredOn) return "Let it trust the house: its browser loads the page and refuses the connection.";
  if (trouble) return `${trouble}. Turn Notifications off and on there.`;
  if (!woken) return "Turn on Notifications there, so that it rings while its page is closed.";
  return shownAt ? "" : "Tap Test beside Notifications there.";
}
