// The service worker: the page also opens while the house is away, and pushes ring while it is closed (notifications.js).
//
// The network comes first, always: an updated house shows its new page at the next load.

importScripts("notifications.js");

const CACHE = "intercom-station";
const SHELL = ["./", "alerts.js", "call.js", "device.js", "directory.js", "doors.js", "face.js", "icon.svg", "invite.js", "kept.js", "keys.js", "lock.js",
  "meters.js", "microphone.js", "moving.js", "notifications.js", "pairing.js", "peer.js", "picture.js", "players.js", "push.js", "rings.js", "room.js", "settings.js", "signalling.js", "sounds.js", "station.css", "station.js", "station.webmanifest", "steps.js", "view.js", "walk.js", "words.js"];

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(SHELL)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || !request.url.startsWith(self.registration.scope)) return;
  event.respondWith(fromNetwork(request));
});

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
