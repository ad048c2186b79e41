// The station: the page on which the house answers the door. This file joins the parts and holds the page's state.
//
// For tests and for whoever embeds the page, these stay as they are:
//   <body data-state>       unpaired | connecting | ready | ringing | calling | in-call | lost ("loading" before the script runs)
//   <body data-link>        connecting | ready | lost: the socket, also while a call goes on
//   <body data-bell>        on | off | none: may the page make sound; none: this device has no loudspeaker
//   <body data-microphone>  granted | prompt | denied
//   #status                 one or two words (polite live region);  #error  a problem in words (alert), hidden without one
//   #pair-code #pair-name #pair   the pairing form;  #bell  "Turn on the bell";  #bell-volume #bell-test #keep-awake #retry
//   #add-device             "Add a device";  #invite  its dialog, with #invite-qr, #invite-code, #invite-close, #invite-again
//   #call-door              calls the (first) door;  #answer #decline  while it rings
//   #remote-video #remote-audio   the door's picture and sound;  #level-in #level-out  the meters;  #elapsed
//   #mute #mute-door #volume #hangup #open-door (data-door: closed | asked | open)   in the call
//   #announcer              what a screen reader is told at once;  the keys are in keys.js
// Pairing link: /station/#pair=CODE (&name=NAME); the code is taken out of the address at once.

import { Alerts } from "./alerts.js";
import { Call } from "./call.js";
import { Device, suggestedName } from "./device.js";
import { DEFAULT_DOOR, findDoors } from "./directory.js";
import { Invitation } from "./invite.js";
import { keepCall, takeKeptCall } from "./kept.js";
import { listenToKeys } from "./keys.js";
import { Meters } from "./meters.js";
import { Microphone } from "./microphone.js";
import { Room } from "./room.js";
import { loadSettings, saveSettings } from "./settings.js";
import { Signalling } from "./signalling.js";
import { Sounds } from "./sounds.js";
import { announce, element, render, renderDoors, renderTime } from "./view.js";
import { closingWords, doorError } from "./words.js";

const CONNECTION_ERRORS = new Set(["offline", "bad-answer", "proxy-unknown", "address-refused", "socket-refused"]); // cleared by a connection
const UNNAMED = "Station"; // name in a link for no particular device: the device then names itself
const NAME_MAX = 60;
const OPEN_CONFIRM_MS = 3000; // time limit for the relay's answer; a later one is reported as a fault

const device = new Device();
const signalling = new Signalling(() => device.credentials());
const microphone = new Microphone();
const sounds = new Sounds();
const alerts = new Alerts();
const settings = loadSettings();
const meters = new Meters(sounds, microphone);
const room = new Room(signalling, element["mute-door"], () => model.call);
const invitation = new Invitation(device, (code) => update({ error: code }));

const model = {
  state: "loading", link: "connecting", lostSince: 0, call: null,
  error: "", problem: "", bell: "off", microphone: "prompt", microphoneLive: false,
  opens: true, opening: "closed", weak: false,
  lastCall: "", missed: false, trusted: true,
};
let before = takeKeptCall(); // the call from before the page was reloaded
let openTimer = null;

function update(changes = {}) {
  Object.assign(model, changes);
  model.bell = sounds.on ? "on" : sounds.impossible ? "none" : "off";
  model.microphone = microphone.permission;
  model.microphoneLive = microphone.track !== null;
  model.state = pageState();
  alerts.keepAwake = Boolean(model.call) || (settings.keepAwake && model.state !== "unpaired");
  if (model.call || model.state === "unpaired") invitation.close();
  render(model);
  renderTime(model);
}

function pageState() {
  const { call, link } = model;
  if (call) return { ringing: "ringing", calling: "calling" }[call.status] ?? "in-call";
  if (!device.paired) return "unpaired";
  return link;
}

// ---------------------------------------------------------------- pairing

function codeFromAddress() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const code = fragment.get("pair");
  if (code === null) return;
  history.replaceState(null, "", location.pathname + location.search);
  element["pair-code"].value = code;
  const name = fragment.get("name") ?? "";
  if (name && name !== UNNAMED) element["pair-name"].value = name.slice(0, 40);
  if (!device.paired) pair();
}

async function pair() {
  const code = element["pair-code"].value.trim();
  if (!code) {
    update({ error: "code-missing" });
    return;
  }
  element.pair.disabled = true;
  try {
    await device.pair(code, element["pair-name"].value.trim() || suggestedName());
    element["pair-code"].value = "";
    update({ error: "" });
    signalling.start();
  } catch (error) {
    update({ error: error.code ?? "bad-answer" });
  } finally {
    element.pair.disabled = false;
  }
}

// ---------------------------------------------------------------- the connection

signalling.addEventListener("state", ({ detail: { state, code, resumed } }) => {
  if (state === "registered") {
    if (!resumed) model.call?.forgotten();
    if (model.link === "lost") announce("Connected again");
    update({ link: "ready", error: CONNECTION_ERRORS.has(model.error) ? "" : model.error });
    takeBack();
    findDoors(signalling.token).then((doors) => renderDoors(doors, callDoor));
  } else if (state === "refused") {
    device.forget();
    update({ link: "connecting", error: code });
    if (element["pair-code"].value) pair(); // a new pairing link opened the page
  } else if (state === "lost") {
    if (model.link !== "lost") model.lostSince = performance.now();
    update({ link: "lost", problem: "", error: code === "offline" ? model.error : code });
  } else {
    update({ link: "connecting" });
  }
});

// ---------------------------------------------------------------- calls

signalling.addEventListener("verto", ({ detail: { message, nodeId } }) => {
  const { method, params = {} } = message;
  const callId = params.callID ?? params.dialogParams?.callID;
  if (method === "verto.ping") {
    signalling.verto(callId, "verto.pong", params, { nodeId }).catch(() => {}); // the next ping is another chance
  } else if (method === "verto.invite" && typeof callId === "string" && typeof params.sdp === "string") {
    invited(params, callId, nodeId);
  } else if (model.call && model.call.id === callId) {
    model.call.receive(message);
  }
});

function invited(params, id, nodeId) {
  if (model.call?.id === id) return; // the invite is a repeat
  const isDoor = params.caller_kind === "door"; // the space says so; what a caller says of itself counts for nothing
  const name = clip(params.caller_id_name) || clip(params.caller_id_number) || "Somebody";
  const from = { name: isDoor ? name : `${name} (phone or tablet)`, number: params.caller_id_number ?? "" };
  const parts = { id, direction: "inbound", from, nodeId, signalling, microphone };
  if (model.call) {
    signalling.verto(id, "verto.bye", { cause: "USER_BUSY", causeCode: 17, dialogParams: { callID: id } },
      { nodeId, queue: true }).catch(() => {}); // the caller's own ring time ends it
    return;
  }
  const call = new Call(parts);
  take(call, { opens: isDoor });
  if (microphone.permission === "granted") microphone.acquire().catch(() => {}); // told by its own event
  call.prepare(params.sdp);
  sounds.ring();
  alerts.start(`${from.name} is ringing`);
  announce(`${from.name} is ringing. Press Enter to answer.`);
}

function callDoor(door) {
  if (model.call) return;
  const call = new Call({ direction: "outbound", from: { name: door.name }, signalling, microphone });
  take(call, { opens: true });
  microphone.acquire().catch(() => {}); // told by its own event
  call.dial(door.address);
  sounds.ringback();
  announce(`Calling ${door.name}`);
}

function takeBack() {
  const record = before;
  before = null;
  if (!record || model.call) return;
  const { id, direction, from, nodeId, destination, opens } = record;
  const call = new Call({ id, direction, from, nodeId, destination, signalling, microphone });
  take(call, { opens });
  microphone.acquire().catch(() => {}); // told by its own event
  call.takeBack(record);
}

// Keep the call when the page goes: it cannot tell a close from a reload. The space ends a call not resumed in time.
function leave() {
  const { call, opens } = model;
  if (call?.talking) keepCall({ ...call.record, opens });
  else if (before) keepCall(before);
  else if (call?.status === "calling") call.hangup();
}

function take(call, changes) {
  call.since = performance.now();
  call.addEventListener("status", () => statusChanged(call));
  call.addEventListener("media", () => showMedia(call));
  call.addEventListener("weak", ({ detail }) => update({ weak: detail.weak }));
  call.addEventListener("door", ({ detail }) => doorChanged(detail));
  update({ call, opening: "closed", weak: false, error: "", problem: "", ...changes });
}

function statusChanged(call) {
  if (call !== model.call) return;
  if (call.over) {
    ended(call);
    return;
  }
  if (call.status === "connecting") {
    sounds.silence();
    alerts.stop();
  }
  if (call.status === "connected") {
    announce(`Connected to ${call.from.name}`);
    meters.follow(call);
  }
  update();
}

function ended(call) {
  sounds.silence();
  alerts.stop();
  const talked = call.connectedAt !== null;
  if (talked || call.direction === "outbound") sounds.ended();
  microphone.release();
  meters.close();
  clearTimeout(openTimer);
  element["remote-audio"].srcObject = null;
  element["remote-video"].srcObject = null;
  const lengthMs = talked ? performance.now() - call.connectedAt : null;
  update({ call: null, error: call.errorCode, ...closingWords(call, lengthMs, new Date()) });
  announce(model.problem || model.error ? "The call is over" : model.lastCall);
}

function showMedia(call) {
  if (call !== model.call) return;
  attach(element["remote-video"], call.video);
  attach(element["remote-audio"], call.audio);
  update();
}

function attach(player, stream) {
  if (player.srcObject === stream) return;
  player.srcObject = stream;
  player.play().catch(() => {}); // it was closed meanwhile, or the tap that answers starts it
}

// Play the sound at the next tap: without one since the page was loaded, a browser may play nothing.
function playAll() {
  for (const player of [element["remote-audio"], element["remote-video"]]) {
    if (player.srcObject && player.paused) player.play().catch(() => {});
  }
}

function answer() {
  if (model.state !== "ringing") return false;
  model.call.answer();
  sounds.unlock();
  playAll();
  microphone.acquire().catch(() => {}); // told by its own event; the visitor is heard and seen all the same
  return true;
}

function hangup() {
  if (!model.call) return false;
  model.call.hangup();
  return true;
}

function mute() {
  if (model.state !== "in-call" || element.mute.disabled) return false;
  model.call.muted = !model.call.muted;
  room.tellOwnMute();
  announce(model.call.muted ? "Muted" : "Microphone on");
  update();
  return true;
}

// ---------------------------------------------------------------- the door's lock

function openDoor() {
  if (model.state !== "in-call" || !model.opens) return false;
  if (model.opening === "asked") return true;
  const { call, opening } = model; // a repeat while the door is open: the door stays open longer, and reports nothing new
  update({ opening: opening === "open" ? "open" : "asked", error: "" });
  const failed = (error) => {
    if (call !== model.call) return;
    clearTimeout(openTimer);
    update({ opening, error });
  };
  clearTimeout(openTimer);
  if (opening !== "open") openTimer = setTimeout(() => failed("door-silent"), OPEN_CONFIRM_MS);
  call.openDoor().catch(({ code }) => failed(code === "offline" ? "door-offline" : "door-refused"));
  return true;
}

function doorChanged({ state, reason, seconds }) {
  if (!model.opens) return; // what a phone says of a door counts for nothing
  clearTimeout(openTimer);
  if (state === "refused") {
    update({ opening: model.opening === "open" ? "open" : "closed", error: doorError(reason, seconds) });
    return;
  }
  if (state === "open" && model.opening !== "open") sounds.opened();
  announce(state === "open" ? "The door is open" : "The door is closed");
  update({ opening: state, error: model.error.startsWith("door-") ? "" : model.error });
}

// ---------------------------------------------------------------- sound, settings

microphone.addEventListener("change", () => {
  const inCall = model.state === "in-call" || model.state === "calling";
  const shown = model.error.startsWith("microphone") || model.error === "insecure";
  meters.microphoneChanged();
  update(inCall && (microphone.error || shown) ? { error: microphone.error } : {});
});

sounds.addEventListener("change", () => update());

function turnOnBell() {
  sounds.unlock();
  alerts.askPermission().catch(() => {}); // refused: bell and title remain
  microphone.askPermission().catch(({ code }) => update({ error: code }));
  sounds.sample();
}

function applySettings() {
  element.volume.value = settings.volume;
  element["bell-volume"].value = settings.bellVolume;
  element["keep-awake"].checked = settings.keepAwake;
  element["remote-audio"].volume = settings.volume / 100;
  sounds.volume = (settings.bellVolume / 100) ** 2; // the ear's loudness is not linear
  saveSettings(settings);
  update();
}

function setting(id, change) {
  element[id].addEventListener("input", () => {
    change(element[id]);
    applySettings();
  });
}

function clip(text) {
  return typeof text === "string" ? text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "").trim().slice(0, NAME_MAX) : "";
}

// ---------------------------------------------------------------- start

function wire() {
  const on = (id, act) => element[id].addEventListener("click", act);
  const taps = { answer, decline: hangup, hangup, mute, "open-door": openDoor, bell: turnOnBell };
  Object.entries(taps).forEach(([id, act]) => on(id, act));
  on("bell-test", () => sounds.sample());
  on("retry", () => signalling.retryNow());
  on("error-close", () => update({ error: "", problem: "" }));
  on("fit", () => {
    const filled = element["remote-video"].classList.toggle("fill");
    element.fit.setAttribute("aria-pressed", String(filled));
  });
  element["pair-form"].addEventListener("submit", (event) => {
    event.preventDefault();
    pair();
  });
  setting("volume", ({ value }) => { settings.volume = Number(value); });
  setting("bell-volume", ({ value }) => { settings.bellVolume = Number(value); });
  setting("keep-awake", ({ checked }) => { settings.keepAwake = checked; });
  element["remote-video"].addEventListener("resize", () => update());
  element["awake-row"].hidden = !("wakeLock" in navigator);
  element["remote-audio"].volume = 0.5;
  element["volume-row"].hidden = element["remote-audio"].volume !== 0.5; // iOS: only the device's own keys change the volume
  listenToKeys({ answer, hangup, mute, openDoor });
  for (const gesture of ["pointerdown", "keydown"]) {
    document.addEventListener(gesture, ({ target }) => {
      if (!target.closest?.("#bell")) sounds.unlock();
      playAll();
    }, { capture: true });
  }
  window.addEventListener("hashchange", codeFromAddress);
  window.addEventListener("online", () => signalling.retryNow());
  window.addEventListener("pagehide", leave);
  document.addEventListener("visibilitychange", () => document.hidden || signalling.retryNow());
  setInterval(() => renderTime(model), 500);
}

async function start() {
  wire();
  renderDoors([DEFAULT_DOOR], callDoor);
  element["pair-name"].value = suggestedName();
  model.error = !globalThis.RTCPeerConnection ? "no-webrtc" : !globalThis.isSecureContext ? "insecure" : "";
  applySettings();
  codeFromAddress();
  if (device.paired) signalling.start();
  try {
    await navigator.serviceWorker?.register("offline.js");
    alerts.registration = await navigator.serviceWorker?.ready ?? null;
  } catch {
    update({ trusted: location.protocol !== "https:" }); // the browser refuses the worker; everything else works
  }
}

start();
