// Finds the door as a recorder does, and prints what it found: its stream, its still, an event of the bell.
const {Cam} = require("onvif");
const [port, username, password] = process.argv.slice(2);

const ask = (cam, method, ...parameters) =>
  new Promise((resolve, reject) => {
    cam[method](...parameters, (error, found) => (error ? reject(error) : resolve(found)));
  });

const cam = new Cam({hostname: "127.0.0.1", port: Number(port), username, password, timeout: 60000}, async (error) => {
  if (error) throw error;
  const found = {information: await ask(cam, "getDeviceInformation")};
  found.stream = await ask(cam, "getStreamUri", {protocol: "RTSP"});
  found.still = await ask(cam, "getSnapshotUri");
  cam.on("event", (event) => {
    const message = event.message.message;
    const source = message.source.simpleItem.$;
    const data = message.data.simpleItem.$;
    if (source.Value !== "Bell" || String(data.Value) !== "true") return;
    found.bell = event.topic._ ?? event.topic;
    console.log(JSON.stringify(found));
    process.exit(0);
  });
  console.error("listens");
});
