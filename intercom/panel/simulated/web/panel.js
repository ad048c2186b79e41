// The page of the simulated front panel: sends what the bell button does, shows what the pins are.

import { Trace } from "./trace.js";

const PICTURE_MS = 220; // a little more than the server's least time between two pictures
const RETRY_MS = 1000;
const WARM = [255, 236, 205]; // how a white or a single LED looks on screen
const LEDS = [[255, 40, 24], [32, 230, 104], [48, 120, 255]]; // and how a red, a green and a blue one do

const byId = (id) => document.getElementById(id);
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
  bells().forEach((bell, number) => bell.setAttribute("aria-pressed", String(now.buttons[number])));
  setText("state", now.state);
  setText("says", now.says);
  setText("look", now.look);
  setText("lock-says", now.relay ? "Open: push" : "Locked");
  byId("lock").dataset.open = String(now.relay);
  byId("camera-lamp").dataset.on = String(now.camera);
  byId("camera-switch").setAttribute("aria-checked", String(now.forbidden));
  setText("camera-says", now.camera ? "Camera runs" : now.forbidden ? "Camera held off" : "Camera off");
  showEntrance(now.entrance);
  trace.add([
    ...now.buttons.map((down) => (down ? 0 : 1)), ...now.light, now.relay ? 1 : 0, now.camera ? 1 : 0, now.forbidden ? 0 : 1,
    ...AROUND.filter((what) => now.entrance[what] !== null).map((what) => Number(now.entrance[what])),
  ]);
}

// What is wired around the door: what the door drives, and what people move

const AROUND = ["chime", "bell_light", "contact", "exit", "tamper"];
const LAMPS = { chime: ["Chime silent", "Chime rings"], bell_light: ["Bell light dark", "Bell light flashes"] };

function showEntrance(levels) {
  for (const [what, [off, on]] of Object.entries(LAMPS)) {
    const [lampOf, words] = byId(what).children;
    lampOf.dataset.on = String(Boolean(levels[what]));
    const text = levels[what] ? on : off;
    if (words.textContent !== text) words.textContent = text;
  }
  for (const what of ["contact", "tamper"]) byId(what).setAttribute("aria-checked", String(levels[what]));
  byId("exit").setAttribute("aria-pressed", String(levels.exit));
}

function introduceEntrance(about) {
  for (const what of AROUND) byId(what).hidden = about[what] === null;
  byId("entrance").hidden = AROUND.every((what) => about[what] === null);
}

function setText(id, text) {
  // A live region speaks again when it is written again: only write what is new.
  const element = byId(id);
  if (element.textContent !== text) element.textContent = text;
}

function introduce({ buttons, light, relay, camera_light, camera_switch, pins: description, ...around }) {
  const names = light.length === 3 ? ["red", "green", "blue"] : light.map(() => "light");
  const colours = { red: "#e5534b", green: "#3fae74", blue: "#4c8dff", light: "#d9a441" };
  trace.channels = [
    ...buttons.map(({ name, gpio }) => ({ name: `${name || "button"} · ${gpio}`, colour: null })),
    ...light.map((gpio, index) => ({ name: `${names[index]} · ${gpio}`, colour: colours[names[index]] })),
    { name: `relay · ${relay}`, colour: null },
    { name: `camera · ${camera_light}`, colour: "#e5534b" },
    { name: `privacy · ${camera_switch}`, colour: null },
    ...AROUND.filter((what) => around[what] !== null).map((what) => ({ name: `${what.replace("_", " ")} · ${around[what]}`, colour: null })),
  ];
  introduceEntrance(around);
  setText("pins", description);
  byId("bells").replaceChildren(...buttons.map(newBell));
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

// The bell buttons

function bells() {
  return [...document.querySelectorAll(".bell")];
}

function press(bell, down) {
  if (!bell || socket?.readyState !== WebSocket.OPEN || (bell.dataset.down ?? "false") === String(down)) return;
  bell.dataset.down = String(down);
  socket.send(JSON.stringify({ button: down ? "down" : "up", number: bells().indexOf(bell) }));
}

function pressExit(down) {
  const exit = byId("exit");
  if (socket?.readyState !== WebSocket.OPEN || (exit.dataset.down ?? "false") === String(down)) return;
  exit.dataset.down = String(down);
  socket.send(JSON.stringify({ entrance: "exit", on: down }));
}

function letGo() {
  bells().forEach((bell) => press(bell, false));
  pressExit(false);
}

function whileHeld(element, press) {
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    element.setPointerCapture(event.pointerId);
    press(true);
  });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) element.addEventListener(end, () => press(false));
  element.addEventListener("contextmenu", (event) => event.preventDefault());
}

// The space key presses the bell that has the focus, else the first one.
function bellOfKey(event) {
  const focused = bells().find((bell) => bell === event.target);
  if (event.code === "Enter") return focused;
  return event.code === "Space" && !event.target.closest?.("button:not(.bell)") ? focused ?? bells()[0] : undefined;
}

function newBell({ name }, number) {
  const copy = byId("bell-template").content.cloneNode(true).firstElementChild;
  const bell = copy.querySelector(".bell");
  if (number === 0) bell.id = "bell";
  if (name) bell.setAttribute("aria-label", `Ring ${name}`);
  copy.querySelector(".bell-name").textContent = name;
  whileHeld(bell, (down) => press(bell, down));
  return copy;
}

document.addEventListener("keydown", (event) => {
  const bell = bellOfKey(event);
  if (!bell) return;
  event.preventDefault();
  if (!event.repeat) press(bell, true);
});
document.addEventListener("keyup", (event) => press(bellOfKey(event), false));
window.addEventListener("blur", letGo);

// The door, the box and the exit button

for (const what of ["contact", "tamper"]) {
  byId(what).addEventListener("click", () => {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ entrance: what, on: !pins?.entrance[what] }));
  });
}
whileHeld(byId("exit"), pressExit);
for (const [kind, down] of [["keydown", true], ["keyup", false]]) {
  byId("exit").addEventListener(kind, ({ code }) => {
    if (code === "Space" || code === "Enter") pressExit(down);
  });
}

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
  if (document.hidden) letGo();
});

function frame() {
  // A level that stays is drawn on: the trace moves although nothing is sent.
  if (pins && socket?.readyState === WebSocket.OPEN) trace.draw();
  requestAnimationFrame(frame);
}

byId("bells").replaceChildren(newBell({ name: "" }, 0));
connect();
look();
frame();
