// The steps that prove that a device rings: which of them are done, and the words for each.

import { dateWords, momentWords, t } from "../language.js";
import { errorWords, pushWords } from "../words.js";

/** Return {trust, name, microphone, push, open, closed}: each step as {state: done | todo | cannot, words}. */
export function stepsOf(facts) {
  const { name, named, rangAt } = facts;
  return {
    trust: trust(facts),
    name: named ? step("done", t("step.named", { name: name || t("step.yours") }))
      : step("todo", t("step.unnamed")),
    microphone: microphone(facts),
    push: push(facts),
    open: rangAt ? step("done", t("step.heard", { time: momentWords(rangAt) }))
      : step("todo", t("step.ring")),
    closed: closed(facts),
  };
}

function trust({ trusted, trustUrl }) {
  if (trusted) return step("done", t("step.trusted"));
  if (trustUrl) return step("todo", t("step.untrusted"));
  return step("cannot", t("step.untrusting"));
}

function microphone({ microphone: permission, bell }) {
  if (permission === "denied") return step("cannot", errorWords("microphone-refused"));
  if (permission === "granted" && bell === "none") return step("cannot", t("bell.none"));
  if (permission === "granted" && bell === "on") return step("done", t("step.sounds"));
  return step("todo", t(bell === "off" ? "step.bell-off" : `bell.${bell}`));
}

function push({ push: state }) {
  if (state === "on") return step("done", pushWords("on"));
  return step(["", "off", "failed"].includes(state) ? "todo" : "cannot", pushWords(state));
}

function closed({ push: state, wokenAt, waking, trouble }) {
  if (wokenAt) return step("done", t("step.woken", { time: momentWords(wokenAt) }));
  if (state !== "on") return step("cannot", t("step.push-first"));
  if (waking === "arrived") return step("todo", t("step.arrived"));
  if (trouble) return step("todo", t("step.unsent", { why: trouble }));
  if (waking === "asked") return step("todo", t("step.waking"));
  return step("todo", t("step.wake"));
}

function step(state, words) {
  return { state, words };
}

/** Return how far a device of the house is reached, in words: its page, its connection, its push, its last receipt. */
export function deviceWords({ seen_on: seenOn, online, registered_on: registeredOn, push: woken, trouble, shown_at: shownAt }) {
  const page = seenOn ? t("house.page", { date: dateWords(seenOn) }) : t("house.page-never");
  const link = online ? t("house.online") : registeredOn ? t("house.connected", { date: dateWords(registeredOn) }) : t("house.never");
  const pushed = t(trouble ? "house.push-fails" : woken ? "house.push-on" : "house.push-off");
  const shown = shownAt ? t("house.receipt", { time: momentWords(shownAt) }) : t("house.receipt-never");
  return [page, link, pushed, shown].join(", ");
}

/** Return what to do for a device of the house that is not reached; "" where nothing is missing. */
export function remedyWords({ seen_on: seenOn, online, registered_on: registeredOn, push: woken, trouble, shown_at: shownAt }) {
  if (!seenOn) return t("house.open-it");
  if (!online && !registeredOn) return t("house.trust-it");
  if (trouble) return t("house.push-anew", { why: trouble });
  if (!woken) return t("house.push-it");
  return shownAt ? "" : t("house.test-it");
}
