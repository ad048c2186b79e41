// The station: the page on which the house answers the door. This file joins the parts and holds the page's state.
//
// For tests and for whoever embeds the page, these stay as they are:
//   <body data-state>       unpaired | connecting | ready | ringing | calling | in-call | looking | lost ("loading" before the script runs)
//   <body data-link>        connecting | ready | lost: the socket, also while a call goes on
//   <body data-bell>        on | off | none: may the page make sound; none: this device has no loudspeaker
//   <body data-microphone>  granted | prompt | denied
//   #status                 one or two words (polite live region);  #error  a problem in words (alert), hidden without one;  #announcer  what a screen reader is told at once
//   #pair-code #pair-name #pair   the pairing form;  #bell  "Turn on the bell";  #bell-volume #bell-test #keep-awake #retry
//   #walk                   "Does this device ring?", which opens after pairing; see join/walk.js
//   #add-device             "Add a device";  #invite  its dialog, with #invite-qr, #invite-code, #invite-close, #invite-again
//   #call-door              calls the (first) door;  #answer #decline  while it rings
//   #still #face            the visitor before the answer;  #no-picture #picture-age  why there is none, or how old it is
//   #remote-video #remote-audio   the door's picture and sound;  #level-in #level-out  the meters;  #elapsed
//   #mute #mute-door #volume #hangup #open-door (data-door: closed | asked | open)   in the call
// Keys: Enter or Space answers, Escape declines or hangs up, M mutes, O opens the door.
// Pairing link: /station/#pair=CODE (&name=NAME); the code is taken out of the address at once.

import { Alerts } from "./alerts/alerts.js";
import { Call } from "./call/call.js";
import { Device, trustPage } from "./house/device.js";
import { showDoors } from "./house/doors.js";
import { Face } from "./picture/face.js";
import { Invitation } from "./house/invite.js";
import { keepCall, takeKeptCall } from "./call/kept.js";
import { listenToKeys } from "./keys.js";
import { Lock } from "./call/lock.js";
import { Meters } from "./call/meters.js";
import { Microphone } from "./call/microphone.js";
import { Pairing } from "./join/pairing.js";
import { renderPicture } from "./picture/picture.js";
import { play, playAll } from "./call/players.js";
import { Notifications } from "./alerts/push.js";
import { Rings } from "./alerts/rings.js";
import { Room } from "./call/room.js";
import { loadSettings, saveSettings } from "./settings.js";
import { Signalling } from "./house/signalling.js";
import { Sounds } from "./alerts/sounds.js";
import { announce, element, render, renderTime } from "./view.js";
import { Walk } from "./join/walk.js";
import { closingWords, ringWords } from "./words.js";

const CONNECTION_ERRORS = new Set(["offline", "bad-answer", "proxy-unknown", "address-refused", "socket-refused"]); // cleared by a connection
const NAME_MAX = 60;

const device = new Device();
const signalling = new Signalling(() => device.credentials());
const rings = new Rings(signalling);
const microphone = new Microphone();
const sounds = new Sounds();
const alerts = new Alerts();
const face = new Face(signalling, element.face);
const settings = loadSettings();
const meters = new Meters(sounds, microphone);
const room = new Room(signalling, element["mute-door"], () => model.call);
const notifications = new Notifications(device);
const pairing = new Pairing(device, { done: joined, failed: (code) => update({ error: code }) });
const walk = new Walk({ device, signalling, sounds, alerts, notifications, turnOnBell, facts: () => model });
const invitation = new Invitation(device, (code) => update({ error: code }));

const model = {
  state: "loading", link: "connecting", lostSince: 0, call: null,
  error: "", problem: "", bell: "off", microphone: "prompt", microphoneLive: false,
  opens: true, opening: "closed", weak: false,
  lastCall: "", missed: false, trusted: true, trustUrl: "",
};
let before = takeKeptCall(); // the call from before the page was reloaded
const lock = new Lock(model, update, () => sounds.opened());

function update(changes = {}) {
  Object.assign(model, changes);
  model.bell = sounds.on ? "on" : sounds.impossible ? "none" : "off";
  model.microphone = microphone.permission;
  model.microphoneLive = microphone.track !== null;
  if (model.call?.talking && element["remote-video"].videoWidth > 0) face.end(); // the call's own picture is there
  model.state = pageState();
  signalling.watchful = model.state === "ringing";
  alerts.keepAwake = Boolean(model.call) || face.looking || (settings.keepAwake && model.state !== "unpaired");
  if (model.call || model.state === "unpaired") invitation.close();
  if (model.call) walk.giveWay();
  render(model);
  walk.render();
  renderTime(model);
  renderPicture(model, face);
}

function pageState() {
  const { call, link } = model;
  if (call) return { ringing: "ringing", calling: "calling" }[call.status] ?? "in-call";
  if (!device.paired) return "unpaired";
  if (face.looking) return "looking";
  return link;
}

// ---------------------------------------------------------------- pairing

function joined({ named }) {
  update({ error: "" });
  walk.begin({ named });
  signalling.start();
}

function followAddress() {
  pairing.codeFromAddress();
  rangWhileClosed();
}

// The tap on a test's notification opened the page.
function rangWhileClosed() {
  if (location.hash !== "#rang") return;
  history.replaceState(null, "", location.pathname + location.search);
  walk.tapped("closed");
}

// ---------------------------------------------------------------- the connection

signalling.addEventListener("state", ({ detail: { state, code, resumed } }) => {
  if (state === "registered") {
    if (!resumed) model.call?.forgotten();
    if (model.link === "lost") announce("Connected again");
    update({ link: "ready", error: CONNECTION_ERRORS.has(model.error) ? "" : model.error });
    takeBack();
    showDoors(signalling.token, face, callDoor);
  } else if (state === "refused") {
    device.forget();
    update({ link: "connecting", error: code });
    if (pairing.waits) pairing.pair(); // a new pairing link opened the page
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
  const parts = { id, ring: params.ring, direction: "inbound", from, nodeId, signalling, microphone };
  if (model.call) {
    signalling.verto(id, "verto.bye", { cause: "USER_BUSY", causeCode: 17, dialogParams: { callID: id } },
      { nodeId, queue: true }).catch(() => {}); // the caller's own ring time ends it
    return;
  }
  face.watch(isDoor ? { callID: id } : null); // first, so that the door is asked at once
  const call = new Call(parts);
  take(call, { opens: isDoor });
  if (microphone.permission === "granted") microphone.acquire().catch(() => {}); // told by its own event
  call.prepare(params.sdp);
  sounds.ring();
  alerts.start(`${from.name} is ringing`, params.ring);
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
  const { id, ring, direction, from, nodeId, destination, opens } = record;
  const call = new Call({ id, ring, direction, from, nodeId, destination, signalling, microphone });
  rings.taken(call);
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
  call.addEventListener("door", ({ detail }) => lock.changed(detail));
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
  face.end();
  const talked = call.connectedAt !== null;
  if (talked || call.direction === "outbound") sounds.ended();
  microphone.release();
  meters.close();
  lock.forget();
  play({ video: null, audio: null });
  const lengthMs = talked ? performance.now() - call.connectedAt : null;
  update({ call: null, error: call.errorCode, ...closingWords(call, lengthMs, new Date(), rings.of(call)) });
  announce(model.problem || model.error ? "The call is over" : model.lastCall);
}

function showMedia(call) {
  if (call !== model.call) return;
  play(call);
  update();
}

function answer() {
  if (model.state !== "ringing") return false;
  rings.taken(model.call);
  model.call.answer();
  sounds.unlock();
  playAll();
  microphone.acquire().catch(() => {}); // told by its own event; the visitor is heard and seen all the same
  return true;
}

function hangup() {
  if (!model.call) return false;
  rings.taken(model.call);
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

// ---------------------------------------------------------------- the rings of the house

rings.addEventListener("ended", ({ detail: { ring } }) => {
  if (model.call?.status === "ringing" && model.call.ring === ring.ring) model.call.taken();
});

rings.addEventListener("news", ({ detail: { ring } }) => update(ringWords(ring)));

rings.addEventListener("unheard", () => {
  if (model.call?.status !== "ringing") return;
  signalling.beginAnew(); // the space rings a new session for what still rings
  model.call.forgotten();
});

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
  const taps = { answer, decline: hangup, hangup, mute, "open-door": () => lock.open(), bell: turnOnBell, "look-end": () => face.end() };
  Object.entries(taps).forEach(([id, act]) => on(id, act));
  on("bell-test", () => sounds.sample());
  on("retry", () => signalling.retryNow());
  on("error-close", () => update({ error: "", problem: "" }));
  on("fit", () => {
    const filled = document.body.classList.toggle("fill");
    element.fit.setAttribute("aria-pressed", String(filled));
  });
  setting("volume", ({ value }) => { settings.volume = Number(value); });
  setting("bell-volume", ({ value }) => { settings.bellVolume = Number(value); });
  setting("keep-awake", ({ checked }) => { settings.keepAwake = checked; });
  element["remote-video"].addEventListener("resize", () => update());
  face.addEventListener("change", () => update());
  element["awake-row"].hidden = !("wakeLock" in navigator);
  element["remote-audio"].volume = 0.5;
  element["volume-row"].hidden = element["remote-audio"].volume !== 0.5; // iOS: only the device's own keys change the volume
  listenToKeys({ answer, hangup, mute, openDoor: () => lock.open() });
  for (const gesture of ["pointerdown", "keydown"]) {
    document.addEventListener(gesture, ({ target }) => {
      if (!target.closest?.("#bell")) sounds.unlock();
      playAll();
    }, { capture: true });
  }
  window.addEventListener("hashchange", followAddress);
  window.addEventListener("online", () => signalling.retryNow());
  window.addEventListener("pagehide", leave);
  document.addEventListener("visibilitychange", () => document.hidden || signalling.retryNow());
  setInterval(() => {
    renderTime(model);
    renderPicture(model, face);
  }, 500);
}

async function start() {
  wire();
  showDoors("", face, callDoor);
  model.error = !globalThis.RTCPeerConnection ? "no-webrtc" : !globalThis.isSecureContext ? "insecure" : "";
  applySettings();
  followAddress();
  if (device.paired) signalling.start();
  try {
    await navigator.serviceWorker?.register("offline.js");
    alerts.registration = await navigator.serviceWorker?.ready ?? null;
  } catch {
    update({ trusted: location.protocol !== "https:", trustUrl: await trustPage() }); // everything but the worker works
  }
  notifications.follow(alerts.registration);
}

start();
