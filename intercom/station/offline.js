// The service worker: the page also opens while the house is away, and pushes ring while it is closed
// (alerts/notifications.js).
//
// The network comes first, always: an updated house shows its new page at the next load.

importScripts("alerts/notifications.js");

const CACHE = "intercom-station";
const SHELL = ["./", "icon.svg", "keys.js", "settings.js", "station.css", "station.js", "station.webmanifest", "view.js", "words.js",
  "alerts/alerts.js", "alerts/notifications.js", "alerts/push.js", "alerts/rings.js", "alerts/sounds.js",
  "call/call.js", "call/kept.js", "call/lock.js", "call/meters.js", "call/microphone.js", "call/peer.js", "call/players.js", "call/room.js",
  "house/device.js", "house/directory.js", "house/doors.js", "house/invite.js", "house/signalling.js",
  "join/pairing.js", "join/steps.js", "join/walk.js",
  "picture/face.js", "picture/moving.js", "picture/picture.js"];

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(SHELL)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => event.waitUntil(forgetOlderFiles().then(() => self.clients.claim())));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || !request.url.startsWith(self.registration.scope)) return;
  event.respondWith(fromNetwork(request));
});

// An open page of an older version has loaded all its files; from its next load on it is the new one.
async function forgetOlderFiles() {
  const cache = await caches.open(CACHE);
  const files = new Set(SHELL.map((path) => new URL(path, self.registration.scope).href));
  const kept = await cache.keys();
  await Promise.all(kept.filter(({ url }) => !files.has(url)).map((request) => cache.delete(request)));
}

async function fromNetwork(request) {
  const cache = await caches.open(CACHE);
  try {
    const response = await fetch(request);
    if (response.ok) await cache.put(request, response.clone());
    return response;
  } catch (error) {
    const kept = await cache.match(request, { ignoreSearch: true });
    if (kept) return kept;
    throw error;
  }
}
