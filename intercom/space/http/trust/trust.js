// The page /trust: looks by itself whether this device trusts the house, and shows the steps of its system first.

const LOOK_MS = 3000; // interval between looks: each is one connection to the house
const ANSWER_MS = 8000; // time limit of a look
const { house, trusted: yes, untrusted: no } = document.body.dataset;
const element = (id) => document.getElementById(id);
let looking = false;

// Return this device's system: ios, android or desktop.
function system({ userAgent, maxTouchPoints }) {
  if (/iPhone|iPad|iPod/.test(userAgent)) return "ios";
  if (/Macintosh/.test(userAgent) && maxTouchPoints > 1) return "ios"; // an iPad that says it is a Mac
  return /Android/.test(userAgent) ? "android" : "desktop";
}

// Return whether the house answers over TLS: the answer itself is not for this page to read.
async function trusted() {
  try {
    await fetch(`${house}/api/space/hello`, {
      mode: "no-cors", cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(ANSWER_MS),
    });
    return true;
  } catch {
    return false;
  }
}

async function look() {
  if (looking || document.hidden || document.body.dataset.state === "trusted") return;
  looking = true;
  const found = await trusted();
  looking = false;
  document.body.dataset.state = found ? "trusted" : "untrusted";
  element("state").textContent = found ? yes : no;
  element("go").hidden = !found;
}

element("go").href = `${house}/station/${location.hash}`; // a pairing code stands in the fragment
element(system(navigator)).open = true;
document.addEventListener("visibilitychange", look);
setInterval(look, LOOK_MS);
look();
