// All texts of the page, in one place; an error says what happened and what to do now.

export class StationError extends Error {
  constructor(code, detail = "") {
    super(detail || code);
    this.name = "StationError";
    this.code = code;
  }
}

const ERRORS = {
  "unpaired": "This device is not paired with the house any more. Ask for a new pairing code and enter it here.",
  "code-refused": "That code is wrong, used or older than ten minutes. Ask for a new one: “Add a device” on a device that has joined, or the door station.",
  "code-claimed": "Another device is just joining with that code. Wait a minute, then try again; or ask for a new code.",
  "code-missing": "Enter the code that a device that has joined, or the door station, shows.",
  "too-many": "Too many tries. Wait a minute, then try again.",
  "offline": "The house does not answer. Check that this device is on the house’s network; trying again by itself.",
  "bad-answer": "The house sent an answer that this page does not understand. Reload the page; if that does not help, update the door station.",
  "house-full": "Devices have let in as many others as they may. Let the door station make the code: `intercom space pair`.",
  "proxy-unknown": "The house does not know of the proxy in front of it, so this page cannot connect. Name the proxy in space.trusted_proxies of the door station, then reload the page. A pairing code is still good.",
  "address-refused": "The house does not go by the address of this page. Open the address that `intercom space pair` shows; if it is a proxy's, name the proxy in space.trusted_proxies of the door station.",
  "socket-refused": "This browser loads the page, but cannot open its connection to the house. If it warned of the certificate, trust that first; if a proxy stands between, it has to pass on “Upgrade”. A pairing code is still good.",
  "insecure": "This page was opened without encryption, so the browser keeps the microphone from it. Open the https:// address instead.",
  "no-webrtc": "This browser cannot make calls. Use a current Chrome, Edge, Firefox or Safari.",
  "microphone-refused": "The microphone is blocked, so the visitor cannot hear you; you can still see, listen and open. To allow it, tap the icon beside the address, choose Permissions, Microphone, Allow.",
  "microphone-missing": "No microphone found, so the visitor cannot hear you. Plug one in and it is used at once.",
  "microphone-busy": "Another program uses the microphone. Close it, then answer again; you can still see, listen and open.",
  "microphone-lost": "The microphone was unplugged. Plug it in again and the visitor hears you at once.",
  "bell-blocked": "The browser keeps the bell silent. Tap “Turn on the bell”.",
  "media-failed": "Sound and picture could not reach this device. Check that it is on the house’s network, then call the door.",
  "media-timeout": "The connection to the door was lost. Call the door to try again.",
  "door-silent": "The door did not confirm that it opened. Try again, or open it by hand.",
  "door-offline": "No connection at the moment, so the door was not asked to open. Try again when the page says it is connected.",
  "door-refused": "The door was not opened: the house refused the request.",
  "door-deaf": "Too many wrong codes were typed, so for a while no keys open the door. Open it by hand, or try again later.",
  "door-echo": "Somebody plays telephone tones at the door, so it did not open. Try again when it is quiet.",
  "door-wrong_code": "The door was not opened: the code was wrong.",
  "door-not_named": "This device may not open the door. The owner can name it, or “residents”, in door.openers.",
  "door-relay": "The door was open for as long as it may, or its relay does not work. Try again in a second.",
  "answer-failed": "The call could not be answered.",
  "call-failed": "The door could not be called.",
};

const CAUSES = {
  NORMAL_CLEARING: "Call ended",
  ORIGINATOR_CANCEL: "The visitor gave up",
  LOSE_RACE: "Answered on another device",
  USER_BUSY: "The door is in another call. Try again in a moment.",
  NO_ANSWER: "The door did not answer.",
  NO_USER_RESPONSE: "The door did not answer.",
  USER_NOT_REGISTERED: "The door is not connected. Check its power and its network; its light shows what is wrong.",
  UNALLOCATED_NUMBER: "There is no door at that address. Check the name of the door in the house’s settings.",
  NO_ROUTE_DESTINATION: "This house has no telephone line. Check the address of the door in the house’s settings.",
  INVALID_NUMBER_FORMAT: "The door’s address is not a valid one. Check it in the house’s settings.",
  CALL_REJECTED: "The door refused the call.",
  MEDIA_TIMEOUT: ERRORS["media-timeout"],
  NORMAL_TEMPORARY_FAILURE: "The other side lost its connection. Try again in a moment.",
  ALLOTTED_TIMEOUT: "Call ended: its time was up",
};

const NO_FAULT = new Set(["NORMAL_CLEARING", "ORIGINATOR_CANCEL", "LOSE_RACE", "ALLOTTED_TIMEOUT"]);

const TROUBLES = {
  off: "The camera is switched off at the door.",
  absent: "This door shows no picture.",
  codec: "This browser cannot show the door’s picture: it has no H.264. In Firefox, look whether the OpenH264 plugin is switched on; Chrome, Edge and Safari have it.",
  full: "As many devices as may watch the door already. Trying again.",
  slow: "The camera is slow to start; the picture comes when it does.",
  lost: "The picture did not come. Trying again.",
  "no-look": "This door does not let the house look without being rung (camera.look).",
};

/** Return the reason why there is no live picture. */
export function troubleWords(trouble) {
  return TROUBLES[trouble] ?? "No picture from the door";
}

export function secondsWords(ms) {
  return ms < 60000 ? `${Math.max(0, Math.round(ms / 1000))} s` : `${Math.round(ms / 60000)} min`;
}

export function errorWords(code) {
  return ERRORS[code] ?? "Something went wrong. Reload the page.";
}

/** Return the error code for a door that did not open; `seconds`: for how long no keys open it. */
export function doorError(reason, seconds) {
  const code = `door-${seconds ? "deaf" : reason}`;
  return code in ERRORS ? code : "door-refused";
}

const PUSH = {
  "on": "This device also rings while the page is closed.",
  "off": "This device rings only while the page is open.",
  "denied": "This browser blocks notifications of this page: tap the icon beside the address, choose Notifications, Allow; then reload the page.",
  "unsupported": "This browser cannot ring while the page is closed. A current Chrome, Edge, Firefox or Safari can.",
  "untrusted": "This browser does not trust the house’s certificate, so it rings only while the page is open.",
  "home-screen": "An iPhone or iPad rings a closed page only from the home screen: tap Share, Add to Home Screen, and open Intercom there.",
  "failed": "Notifications could not be turned on: the browser’s push service was not reached. Check that this device is online, then try again.",
};

/** Return how the notifications of this device stand. */
export function pushWords(state) {
  return PUSH[state] ?? "";
}

/** Return what became of a test: {fate, told, shown, shownMs}. */
export function pushTestWords({ fate, told, shown, shownMs }) {
  if (shown) return shownMs === undefined ? "The test arrived." : `The test arrived after ${(shownMs / 1000).toFixed(1)} s.`;
  if (fate === "gone") return "The browser has given this device’s notifications up: turn them on again.";
  if (fate !== "accepted") return `The test was not sent: ${told}.`;
  return "The test was sent, but this device does not show it yet. Let the browser run in the background, and take it out of the battery saver.";
}

export function elapsedWords(ms) {
  const total = Math.max(0, Math.floor(ms / 1000));
  const parts = [Math.floor(total / 60), total % 60];
  if (parts[0] >= 60) parts.splice(0, 1, Math.floor(parts[0] / 60), parts[0] % 60);
  return parts.map((part, i) => (i ? String(part).padStart(2, "0") : part)).join(":");
}

export function timeWords(date) {
  return date.toLocaleTimeString([], { hour: "numeric", minute: "2-digit" });
}

const RING_WORDS = {
  answered: ({ by }) => `Answered by ${by}`,
  refused: ({ by }) => (by ? `Declined by ${by}` : "Declined"),
  opened: ({ by }) => (by ? `Door opened by ${by}` : "Door opened"),
  given_up: ({ door }) => `Missed: ${door.name}`,
  missed: ({ door }) => `Nobody answered: ${door.name}`,
  lost: ({ door }) => `Missed: ${door.name}, which lost its connection`,
};
const MISSED = new Set(["given_up", "missed", "lost"]);

/** Return the summary of a ring that is over, {lastCall, missed}; who took it is told on every page alike. */
export function ringWords({ state, by, door, opened_by: opener, ended_at: endedAt }) {
  const words = RING_WORDS[state]?.({ by, door }) ?? "The bell rang";
  const opened = opener && state === "answered" ? `, door opened by ${opener}` : "";
  const at = endedAt ? new Date(endedAt * 1000) : new Date();
  return { lastCall: `${words}${opened} at ${timeWords(at)}`, missed: MISSED.has(state) };
}

/** Return the summary of a finished call: {lastCall, missed, problem}. lengthMs is null without a connection. */
export function closingWords({ direction, cause, errorCode, answered, from }, lengthMs, at, ring) {
  const elsewhere = cause === "LOSE_RACE" || (!answered && cause !== "CALL_REJECTED");
  if (elsewhere && ring && ring.state !== "ringing") return { ...ringWords(ring), problem: "" };
  const inbound = direction === "inbound";
  const words = CAUSES[cause] ?? "Call ended";
  const fault = cause in CAUSES && !NO_FAULT.has(cause);
  if (errorCode || (fault && !inbound)) return { lastCall: "", missed: false, problem: errorCode ? "" : words };
  const declined = inbound && cause === "CALL_REJECTED";
  const missed = inbound && !answered && !declined && cause !== "LOSE_RACE";
  const what = declined ? "Declined" : missed ? `Missed: ${from.name}` : fault ? "Call ended" : words;
  const length = lengthMs === null ? "" : `, ${elapsedWords(lengthMs)}`;
  return { lastCall: `${what}${length} at ${timeWords(at)}`, missed, problem: "" };
}
