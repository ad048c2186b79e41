// Show a state in the page's elements. Text from the network is set by textContent only.

import { t, timeWords } from "./language.js";
import { elapsedWords, errorWords } from "./words.js";

const ids = ["status", "error", "error-text", "error-close", "pair-form", "pair-code", "pair-name", "pair", "lost-for",
  "retry", "clock", "last-call", "only-open", "trust-link", "bell-card", "bell-words", "bell", "bell-row", "bell-volume", "bell-test", "keep-awake",
  "awake-row", "language", "wall", "wall-settings", "dim", "microphone", "microphone-row", "speaker", "speaker-row", "push-row", "push-words", "push-test", "push", "add-device", "invite", "invite-close", "invite-fresh", "invite-qr", "invite-page", "invite-code", "invite-good",
  "invite-here", "invite-old", "invite-again", "doors", "call-door", "ringing-title", "ringing-for", "ripple", "still", "face", "picture-age",
  "looks", "looking-title", "look-end", "look-call", "silent-bell", "decline", "answer", "stage",
  "remote-video", "no-picture", "weak", "door-pill", "fit", "call-title", "elapsed", "level-in", "level-out",
  "walk", "walk-open", "walk-close", "walk-later", "walk-done", "walk-steps", "walk-trust", "walk-name", "walk-rename", "walk-microphone",
  "walk-push", "walk-ring", "walk-ringing", "walk-heard", "walk-unheard", "walk-wake", "walk-house", "walk-devices",
  "volume", "volume-row", "open-door", "open-words", "more", "more-open", "more-close", "people", "keypad", "keys-typed", "happened", "mute", "mute-door", "hangup", "remote-audio", "announcer"];

export const element = Object.fromEntries(ids.map((id) => [id, document.getElementById(id)]));

let shown = "";

/** Show a model; station.js describes its fields. */
export function render(model) {
  const { state, link } = model;
  Object.assign(document.body.dataset, { state, link, bell: model.bell, microphone: model.microphone });
  const lostInCall = link !== "ready" && ["ringing", "calling", "in-call"].includes(state);
  setText(element.status, t(`status.${lostInCall ? "reconnecting" : state}`));
  const refused = model.why && t("lost.no-room", { why: model.why });
  setText(element["error-text"], refused || (model.error ? errorWords(model.error) : model.problem));
  element.error.hidden = !element["error-text"].textContent;
  renderReady(model);
  if (model.call) renderCall(model);
  if (state !== shown) show(state);
}

/** Update the parts that depend on the time alone, about once a second. */
export function renderTime(model, now = performance.now()) {
  setText(element.clock, timeWords(new Date()));
  if (model.state === "lost") setText(element["lost-for"], t("lost.for", { time: elapsedWords(now - model.lostSince) }));
  if (model.state === "ringing") setText(element["ringing-for"], elapsedWords(now - model.call.since));
  if (model.state === "calling") setText(element.elapsed, t("status.calling"));
  if (model.state === "in-call") {
    const { connectedAt } = model.call;
    setText(element.elapsed, connectedAt === null ? t("status.connecting") : elapsedWords(now - connectedAt));
  }
}

export function renderLevels(incoming, outgoing) {
  element["level-in"].firstElementChild.style.transform = `scaleX(${incoming.toFixed(3)})`;
  element["level-out"].firstElementChild.style.transform = `scaleX(${outgoing.toFixed(3)})`;
}

/** Make one button per door; the first keeps its id. */
export function renderDoors(doors, call) {
  const first = element["call-door"];
  const buttons = doors.map((door, i) => {
    const button = i ? first.cloneNode(true) : first;
    if (i) button.removeAttribute("id");
    setText(button.querySelector("span"), doors.length > 1 ? t("call.door-named", { door: door.name }) : t("call.door"));
    button.onclick = () => call(door);
    return button;
  });
  element.doors.replaceChildren(...buttons);
}

/** Make one button for each door at which the house may look. */
export function renderLooks(doors, look) {
  element.looks.replaceChildren(...doors.map((door) => {
    const button = element["look-call"].cloneNode(true);
    button.removeAttribute("id");
    button.classList.remove("primary");
    use(button, "i-eye");
    setText(button.querySelector("span"), doors.length > 1 ? t("look.door-named", { door: door.name }) : t("look.door"));
    button.onclick = () => look(door);
    return button;
  }));
}

const announced = [];

/** Call this listener with whatever is announced. */
export function onAnnounce(listener) {
  announced.push(listener);
}

export function announce(words) {
  announced.forEach((listener) => listener(words));
  setText(element.announcer, "");
  setTimeout(() => setText(element.announcer, words), 50); // the same words twice are announced twice
}

function renderReady({ bell, microphone, lastCall, missed, trusted, trustUrl }) {
  element["only-open"].hidden = trusted;
  element["trust-link"].hidden = !trustUrl;
  element["trust-link"].href = trustUrl;
  element["bell-card"].hidden = bell === "on" && microphone !== "prompt";
  element["bell-row"].hidden = bell !== "on";
  element.bell.hidden = bell === "none" && microphone !== "prompt";
  setText(element["bell-words"], t(`bell.${bell}`));
  setText(element.bell.querySelector("span"), t(bell === "off" ? "bell.turn-on" : "bell.allow"));
  setText(element["last-call"], lastCall);
  element["last-call"].classList.toggle("missed", missed);
}

function renderCall({ state, call, bell, opens, opening, weak, microphone, microphoneLive }) {
  setText(element["ringing-title"], call.from.name);
  setText(element["call-title"], call.from.name);
  element["silent-bell"].hidden = bell === "on" && !call.silent;
  setText(element["silent-bell"], element["silent-bell"].hidden ? "" : t(`silent.${call.silent ? "quiet" : bell}`));
  element["open-door"].hidden = !opens;
  element["open-door"].disabled = state !== "in-call";
  element["open-door"].dataset.door = opening;
  setText(element["open-words"], t(`lock.${opening}`));
  use(element["open-door"], opening === "open" ? "i-unlock" : "i-lock");
  element["door-pill"].hidden = opening !== "open";
  element.weak.hidden = !weak;
  const listening = state === "in-call" && !microphoneLive && microphone === "denied";
  element.mute.setAttribute("aria-pressed", String(call.muted));
  element.mute.disabled = listening;
  setText(element.mute.querySelector("span"), t(listening ? "call.listening" : call.muted ? "call.unmute" : "call.mute"));
  use(element.mute, call.muted || listening ? "i-mic-off" : "i-mic");
}

function show(state) {
  shown = state;
  for (const screen of document.querySelectorAll("[data-screen]")) {
    screen.hidden = !screen.dataset.screen.split(" ").includes(state);
  }
  // Move the focus, but never onto Hang up or Open, which a second press of Enter would trigger.
  const target = { "unpaired": "pair-code", "ringing": "answer", "calling": "stage", "in-call": "stage" }[state];
  element[target]?.focus({ preventScroll: true });
}

function use(button, symbol) {
  const icon = button.querySelector("use");
  if (icon.getAttribute("href") !== `#${symbol}`) icon.setAttribute("href", `#${symbol}`);
}

// Set a text if it has changed: a live region would speak an unchanged one again.
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
