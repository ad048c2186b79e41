// The station: the page on which the house answers the door. This file joins the parts and holds the page's state.
//
// For tests and for whoever embeds the page, these stay as they are:
//   <body data-state>       unpaired | connecting | ready | ringing | calling | in-call | looking | lost ("loading" before the script runs)
//   <body data-link>        connecting | ready | lost: the socket, also while a call goes on
//   <body data-bell>        on | off | none: may the page make sound; none: this device has no loudspeaker
//   <body data-microphone>  granted | prompt | denied
//   #status                 one or two words (polite live region);  #error  a problem in words (alert), hidden without one;  #announcer  what a screen reader is told at once
//   #pair-code #pair-name #pair   the pairing form;  #bell  "Turn on the bell";  #bell-volume #bell-test #keep-awake #retry
//   #wall                   makes this a tablet on the wall (also "?kiosk" in the address); see wall/wall.js
//   #walk                   "Does this device ring?", which opens after pairing; see join/walk.js
//   #add-device             "Add a device";  #invite  its dialog, with #invite-qr, #invite-code, #invite-close, #invite-again
//   #call-door              calls the (first) door;  #answer #decline  while it rings
//   #replies  what the door can say, #reply-list, #reply-form, and what it said, #reply-said;  #ending #talk-on  near a call's end
//   #still #face            the visitor before the answer;  #no-picture #picture-age  why there is none, or how old it is
//   #remote-video #remote-audio   the door's picture and sound;  #level-in #level-out  the meters;  #elapsed
//   #mute #mute-door #volume #hangup #open-door (data-door: closed | asked | open)   in the call
// Keys: Enter or Space answers, Escape declines or hangs up, M mutes, O opens the door.
// Pairing link: /station/#pair=CODE (&name=NAME); the code is taken out of the address at once.

import { Alerts } from "./alerts/alerts.js";
import { Call } from "./call/call.js";
import { Ending } from "./call/ending.js";
import { bindControls } from "./controls.js";
import { Devices } from "./call/devices.js";
import { Device, trustPage } from "./house/device.js";
import { HouseAlarms } from "./house/alarms.js";
import { showDoors } from "./house/doors.js";
import { Face } from "./picture/face.js";
import { Invitation } from "./house/invite.js";
import { showHeadset } from "./call/headset.js";
import { invitedCall } from "./call/invited.js";
import { keepCall, takeKeptCall } from "./call/kept.js";
import { Lock } from "./call/lock.js";
import { Meters } from "./call/meters.js";
import { More } from "./call/more.js";
import { Microphone } from "./call/microphone.js";
import { Pairing } from "./join/pairing.js";
import { renderPicture } from "./picture/picture.js";
import { play, playAll } from "./call/players.js";
import { Notifications } from "./alerts/push.js";
import { Quiet } from "./house/quiet.js";
import { Replies } from "./call/replies.js";
import { offerSettings } from "./preferences.js";
import { Rings } from "./alerts/rings.js";
import { Room } from "./call/room.js";
import { loadSettings, saveSettings } from "./settings.js";
import { t } from "./language.js";
import { Signalling } from "./house/signalling.js";
import { Sounds } from "./alerts/sounds.js";
import { forgets } from "./storage.js";
import { Visitors } from "./visitors/visitors.js";
import { announce, element, render, renderTime } from "./view.js";
import { Waiting } from "./call/waiting.js";
import { Walk } from "./join/walk.js";
import { Wall, isKiosk } from "./wall/wall.js";
import { closingWords, ringWords } from "./words.js";

const CONNECTION_ERRORS = new Set(["offline", "bad-answer", "proxy-unknown", "address-refused", "socket-refused"]); // cleared by a connection
const HANDOVER_MS = 2000; // time for which a view outlasts the connection of the call that was answered

const device = new Device();
const signalling = new Signalling(() => device.credentials());
const rings = new Rings(signalling);
const microphone = new Microphone();
const sounds = new Sounds();
const alerts = new Alerts();
const wall = new Wall(() => visitors.close()); // a dialog lies above what dims the page
const face = new Face(signalling, element.face);
const settings = loadSettings();
const meters = new Meters(sounds, microphone);
const room = new Room(signalling, element["mute-door"], () => model.call);
const notifications = new Notifications(device);
const pairing = new Pairing(device, { done: joined, failed: (code) => update({ error: code }) });
const walk = new Walk({ device, signalling, sounds, alerts, notifications, turnOnBell, facts: () => model });
const visitors = new Visitors(device, signalling);
const waiting = new Waiting(signalling, sounds, { present: () => model.call, still: () => face.still, ring, answer, hangup, declined: (call) => rings.taken(call) });
const invitation = new Invitation(device, (code) => update({ error: code }));
new Quiet(signalling);
new HouseAlarms(signalling);
const replies = new Replies(signalling, rings, (code) => update({ error: code }));
const ending = new Ending((code) => update({ error: code }));

const model = {
  state: "loading", link: "connecting", lostSince: 0, call: null,
  error: "", problem: "", why: "", bell: "off", microphone: "prompt", microphoneLive: false,
  opens: true, opening: "closed", weak: false,
  lastCall: "", missed: false, trusted: true, trustUrl: "",
};
let before = takeKeptCall(); // the call from before the page was reloaded
const more = new More(model, room);
const lock = new Lock(model, update, () => sounds.opened());

function update(changes = {}) {
  Object.assign(model, changes);
  model.bell = sounds.on ? "on" : sounds.impossible ? "none" : "off";
  model.microphone = microphone.permission;
  model.microphoneLive = microphone.track !== null;
  model.state = pageState();
  signalling.watchful = model.state === "ringing";
  alerts.keepAwake = Boolean(model.call) || face.looking || ((settings.keepAwake || wall.on) && model.state !== "unpaired");
  if (model.call || model.state === "unpaired") [invitation, visitors].forEach((dialog) => dialog.close());
  if (model.call) walk.giveWay();
  render(model);
  wall.follow(model.state);
  showHeadset(model);
  more.render();
  walk.render();
  renderTime(model);
  renderPicture(model, face);
  replies.render(model);
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
  walk.followAddress();
}

// ---------------------------------------------------------------- the connection

signalling.addEventListener("state", ({ detail: { state, code, why, resumed } }) => {
  if (state === "registered") {
    if (!resumed) forgotten();
    if (model.link === "lost") announce(t("say.connected-again"));
    update({ link: "ready", why: "", error: CONNECTION_ERRORS.has(model.error) ? "" : model.error });
    takeBack();
    showDoors(signalling.token, face, callDoor);
  } else if (state === "refused") {
    device.forget();
    update({ link: "connecting", why: "", error: code });
    if (pairing.waits) pairing.pair(); // a new pairing link opened the page
  } else if (state === "lost") {
    if (model.link !== "lost") model.lostSince = performance.now();
    update({ link: "lost", problem: "", why, error: code === "offline" ? model.error : code });
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
  } else {
    callOf(callId)?.receive(message);
  }
});

function callOf(id) {
  return model.call?.id === id ? model.call : waiting.find(id);
}

// The service has lost this page's calls.
function forgotten() {
  [...waiting.calls, model.call].forEach((call) => call?.forgotten());
}

function invited(params, id, nodeId) {
  if (callOf(id)) return; // the invite is a repeat
  const call = followed(invitedCall(params, { id, nodeId, signalling, microphone, button: rings.of(params)?.button }));
  if (model.call) more.close(); // it lies over those who wait
  call.prepare(params.sdp, model.call ? waiting.add(call) : ring(call));
  if (rings.takeLate(call) && call === model.call) answer();
}

// Ring for this call, as the page has nothing else to do; resolves with the visitor's picture.
function ring(call, still = null) {
  const seen = face.watch(call.opens ? { callID: call.id } : null); // first, so that the door is asked at once
  if (still) face.show(still);
  take(call);
  if (microphone.permission === "granted") microphone.acquire().catch(() => {}); // told by its own event
  if (!call.silent) sounds.ring();
  alerts.start(t("say.rings", { name: call.from.name }), call.ring, { silent: call.silent });
  announce(t("say.rings-answer", { name: call.from.name }));
  return seen;
}

function callDoor(door) {
  if (model.call) return;
  const call = followed(new Call({ direction: "outbound", from: { name: door.name }, signalling, microphone }));
  take(call);
  microphone.acquire().catch(() => {}); // told by its own event
  call.dial(door.address);
  sounds.ringback();
  announce(t("say.calling", { name: door.name }));
}

function takeBack() {
  const record = before;
  before = null;
  if (!record || model.call) return;
  const call = followed(new Call({ ...record, signalling, microphone }));
  rings.taken(call);
  take(call);
  microphone.acquire().catch(() => {}); // told by its own event
  call.takeBack(record);
}

// Keep the call when the page goes: it cannot tell a close from a reload. The space ends a call not resumed in time.
function leave() {
  const { call } = model;
  if (call?.talking) keepCall(call.record);
  else if (before) keepCall(before);
  else if (call?.status === "calling") call.hangup();
}

function take(call) {
  update({ call, opens: call.opens, opening: "closed", weak: false, error: "", problem: "" });
}

function followed(call) {
  const on = (event, act) => call.addEventListener(event, ({ detail }) => call === model.call && act(detail));
  call.since = performance.now();
  call.addEventListener("status", () => (call === model.call ? statusChanged(call) : call.over && waiting.remove(call)));
  on("media", () => {
    play(call);
    update();
  });
  on("weak", ({ weak }) => weakened(weak));
  on("door", (told) => lock.changed(told));
  on("visitor", () => waiting.pressed(call.from.name));
  ending.follow(call);
  return call;
}

function weakened(weak) {
  if (weak !== model.weak) announce(t(weak ? "picture.weak" : "say.strong"));
  update({ weak });
}

function statusChanged(call) {
  if (call.over) {
    ended(call);
    return;
  }
  if (call.status === "connecting") {
    sounds.silence();
    alerts.stop();
  }
  if (call.status === "connected") {
    announce(t("say.connected", { name: call.from.name }));
    meters.follow(call);
  }
  update();
}

// End the view of a call whose own picture is there, a moment later: at once, it would hold up the first sound.
function handOver() {
  const { call } = model;
  const connected = call?.talking && call.connectedAt !== null && performance.now() - call.connectedAt > HANDOVER_MS;
  if (connected && element["remote-video"].videoWidth > 0) face.end();
}

function ended(call) {
  sounds.silence();
  alerts.stop();
  face.end();
  waiting.forget();
  const talked = call.connectedAt !== null;
  if (talked || call.direction === "outbound") sounds.ended();
  microphone.release();
  meters.close();
  lock.forget();
  play({ video: null, audio: null });
  if (call.late) rings.answeredLate(call);
  const lengthMs = talked ? performance.now() - call.connectedAt : null;
  update({ call: null, error: call.errorCode, ...closingWords(call, lengthMs, new Date(), rings.of(call)) });
  announce(model.problem || model.error ? t("say.over") : model.lastCall);
  const next = waiting.first;
  if (next) ring(next, waiting.remove(next));
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
  room.tellOwnMute(microphone.error);
  announce(t(model.call.muted ? "say.muted" : "say.unmuted"));
  update();
  return true;
}

// ---------------------------------------------------------------- the rings of the house

rings.addEventListener("ended", ({ detail: { ring } }) => {
  for (const call of [...waiting.calls, model.call]) {
    if (call?.status === "ringing" && call.ring === ring.ring) call.taken();
  }
});

rings.addEventListener("news", ({ detail: { ring } }) => update(ringWords(ring)));

rings.addEventListener("unheard", () => {
  sounds.hush();
  if (model.call?.status !== "ringing") return;
  signalling.beginAnew(); // the space rings a new session for what still rings
  forgotten();
});

// ---------------------------------------------------------------- sound, settings

microphone.addEventListener("change", () => {
  const inCall = model.state === "in-call" || model.state === "calling";
  const shown = model.error.startsWith("microphone") || model.error === "insecure";
  meters.microphoneChanged();
  room.tellOwnMute(microphone.error);
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
  element["remote-audio"].volume = settings.volume / 100;
  sounds.volume = (settings.bellVolume / 100) ** 2; // the ear's loudness is not linear
  wall.on = settings.wall;
  saveSettings(settings);
  update();
}

// ---------------------------------------------------------------- start

function wire() {
  const openDoor = () => lock.open();
  const lookAway = () => face.end();
  const retry = () => signalling.retryNow();
  const closeError = () => update({ error: "", problem: "", why: "" });
  bindControls({ answer, hangup, mute, openDoor, turnOnBell, lookAway, retry, closeError }, sounds);
  if (isKiosk()) settings.wall = true;
  offerSettings(settings, applySettings);
  element["remote-video"].addEventListener("resize", () => update());
  face.addEventListener("change", () => update());
  new Devices(settings, microphone, element["remote-audio"], () => saveSettings(settings));
  window.addEventListener("hashchange", followAddress);
  window.addEventListener("online", retry);
  window.addEventListener("pagehide", leave);
  document.addEventListener("visibilitychange", () => document.hidden || signalling.retryNow());
  setInterval(() => {
    handOver();
    renderTime(model);
    renderPicture(model, face);
  }, 500);
}

async function start() {
  wire();
  showDoors("", face, callDoor);
  model.error = !globalThis.RTCPeerConnection ? "no-webrtc" : !globalThis.isSecureContext ? "insecure" : forgets ? "no-storage" : "";
  applySettings();
  if (!forgets) followAddress(); // else it would use up a code for a device that forgets it
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
