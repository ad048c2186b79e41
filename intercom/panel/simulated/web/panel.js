// The page of the simulated front panel: sends what the bell button does, shows what the pins are.

import { Trace } from "./trace.js";

const PICTURE_MS = 220; // a little more than the server's least time between two pictures
const RETRY_MS = 1000;
const WARM = [255, 236, 205]; // how a white or a single LED looks on screen
const LEDS = [[255, 40, 24], [32, 230, 104], [48, 120, 255]]; // and how a red, a green and a blue one do

const byId = (id) => document.getElementById(id);
const bell = byId("bell");
const trace = new Trace(byId("trace"));
let socket = null;
let pins = null;

// The light

function lamp(values) {
  const level = Math.max(0, ...values);
  if (level === 0) return { colour: [0, 0, 0], level: 0 };
  const white = values.length === 1 || values.every((value) => value === values[0]);
  const mixed = [0, 1, 2].map((part) => values.reduce((sum, value, led) => sum + LEDS[led][part] * (value / level), 0));
  return { colour: white ? WARM : mixed.map((part) => Math.min(255, Math.round(part))), level };
}

function show(now) {
  pins = now;
  const { colour, level } = lamp(now.light);
  document.body.style.setProperty("--lamp", colour.join(" "));
  document.body.style.setProperty("--glow", level === 0 ? 0 : Math.pow(level, 0.6).toFixed(3));
  bell.setAttribute("aria-pressed", String(now.button));
  setText("state", now.state);
  setText("says", now.says);
  setText("look", now.look);
  setText("lock-says", now.relay ? "Open: push" : "Locked");
  byId("lock").dataset.open = String(now.relay);
  byId("camera-lamp").dataset.on = String(now.camera);
  byId("camera-switch").setAttribute("aria-checked", String(now.forbidden));
  setText("camera-says", now.camera ? "Camera runs" : now.forbidden ? "Camera held off" : "Camera off");
  trace.add([now.button ? 0 : 1, ...now.light, now.relay ? 1 : 0, now.camera ? 1 : 0, now.forbidden ? 0 : 1]);
}

function setText(id, text) {
  // A live region speaks again when it is written again: only write what is new.
  const element = byId(id);
  if (element.textContent !== text) element.textContent = text;
}

function introduce({ button, light, relay, camera_light, camera_switch, pins: description }) {
  const names = light.length === 3 ? ["red", "green", "blue"] : light.map(() => "light");
  const colours = { red: "#e5534b", green: "#3fae74", blue: "#4c8dff", light: "#d9a441" };
  trace.channels = [
    { name: `button · ${button}`, colour: null },
    ...light.map((gpio, index) => ({ name: `${names[index]} · ${gpio}`, colour: colours[names[index]] })),
    { name: `relay · ${relay}`, colour: null },
    { name: `camera · ${camera_light}`, colour: "#e5534b" },
    { name: `privacy · ${camera_switch}`, colour: null },
  ];
  setText("pins", description);
}

// The connection

function connect() {
  socket = new WebSocket(new URL("pins", location.href.replace(/^http/, "ws")));
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    document.body.dataset.link = "ready";
    if (message.about) introduce(message.about);
    else show(message);
  };
  socket.onclose = () => {
    document.body.dataset.link = "lost";
    document.body.style.setProperty("--glow", 0);
    setText("state", "Not connected");
    setText("says", "The door's program does not answer. This page connects again by itself.");
    setTimeout(connect, RETRY_MS);
  };
}

// The bell button

function press(down) {
  if (socket?.readyState !== WebSocket.OPEN || bell.dataset.down === String(down)) return;
  bell.dataset.down = String(down);
  socket.send(JSON.stringify({ button: down ? "down" : "up" }));
}

const isSpace = (event) => (event.code === "Space" && event.target !== byId("camera-switch")) || (event.code === "Enter" && event.target === bell);

bell.addEventListener("pointerdown", (event) => {
  if (event.button !== 0) return;
  bell.setPointerCapture(event.pointerId);
  press(true);
});
for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) bell.addEventListener(name, () => press(false));
bell.addEventListener("contextmenu", (event) => event.preventDefault());
document.addEventListener("keydown", (event) => {
  if (!isSpace(event)) return;
  event.preventDefault();
  if (!event.repeat) press(true);
});
document.addEventListener("keyup", (event) => {
  if (isSpace(event)) press(false);
});
window.addEventListener("blur", () => press(false));

// The camera

byId("camera-switch").addEventListener("click", () => {
  if (socket?.readyState !== WebSocket.OPEN) return;
  socket.send(JSON.stringify({ camera_switch: pins?.forbidden ? "open" : "closed" }));
});

async function look() {
  if (!document.hidden) {
    try {
      const response = await fetch("camera.jpg");
      if (!response.ok) throw new Error(await response.text());
      await setPicture(await response.blob());
    } catch (error) {
      byId("picture").hidden = true;
      byId("no-picture").hidden = false;
      setText("no-picture", error instanceof TypeError ? "No picture: not connected" : error.message);
    }
  }
  setTimeout(look, byId("picture").hidden ? RETRY_MS : PICTURE_MS);
}

async function setPicture(blob) {
  const picture = byId("picture");
  const old = picture.src;
  picture.src = URL.createObjectURL(blob);
  await picture.decode();
  if (old) URL.revokeObjectURL(old);
  picture.hidden = false;
  byId("no-picture").hidden = true;
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) press(false);
});

function frame() {
  // A level that stays is drawn on: the trace moves although nothing is sent.
  if (pins && socket?.readyState === WebSocket.OPEN) trace.draw();
  requestAnimationFrame(frame);
}

connect();
look();
frame();
