// The service worker: the page also opens while the house is away, and pushes ring while it is closed
// (alerts/notifications.js).
//
// The network comes first, always: an updated house shows its new page at the next load.

importScripts("languages.js", "alerts/notifications.js");

const CACHE = "intercom-station";
const SHELL = ["./", "icon.svg", "icons/192.png", "icons/512.png", "icons/apple-touch-180.png", "icons/maskable-192.png", "icons/maskable-512.png",
  "controls.js", "keys.js", "language.js", "languages.js", "preferences.js", "settings.js", "station.css", "station.js", "station.webmanifest", "storage.js", "view.js", "words.js",
  "alerts/alerts.js", "alerts/notifications.js", "alerts/push.js", "alerts/rings.js", "alerts/sounds.js",
  "call/call.js", "call/devices.js", "call/ending.js", "call/headset.js", "call/invited.js", "call/kept.js", "call/lock.js", "call/meters.js",
  "call/microphone.js", "call/more.js", "call/peer.js", "call/players.js", "call/replies.js", "call/room.js", "call/slide.js", "call/waiting.js",
  "house/alarms.js", "house/device.js", "house/directory.js", "house/doors.js", "house/invite.js", "house/quiet.js", "house/signalling.js",
  "join/pairing.js", "join/steps.js", "join/walk.js",
  "languages/de.json", "languages/en.json", "languages/es.json", "languages/fr.json", "languages/it.json", "languages/nl.json",
  "picture/face.js", "picture/moving.js", "picture/picture.js",
  "visitors/messages.js", "visitors/pictures.js", "visitors/rows.js", "visitors/visitors.css", "visitors/visitors.js", "visitors/visits.js", "visitors/words.js", "wall/wall.js"];

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
