// A logic analyser's view: the level of each pin over the last seconds.

const SPAN_MS = 10_000;
const LABEL_PX = 88;

export class Trace {
  constructor(canvas) {
    this.canvas = canvas;
    this.channels = [];
    this.samples = []; // {at, values}, oldest first; a sample holds until the next
  }

  add(values) {
    const now = performance.now();
    this.samples.push({ at: now, values });
    // One older than the span stays: it is the level at the left edge.
    while (this.samples.length > 1 && this.samples[1].at < now - SPAN_MS) this.samples.shift();
  }

  draw() {
    const { canvas, channels } = this;
    const scale = window.devicePixelRatio;
    const width = canvas.clientWidth;
    const height = canvas.clientHeight;
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);
    }
    const context = canvas.getContext("2d");
    const style = getComputedStyle(canvas);
    const text = style.getPropertyValue("--text");
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    context.font = `12px ${style.fontFamily}`;
    context.textBaseline = "middle";
    const row = height / Math.max(channels.length, 1);
    channels.forEach((channel, index) => {
      const top = index * row;
      context.fillStyle = style.getPropertyValue("--quiet");
      context.fillText(channel.name, 0, top + row / 2);
      context.strokeStyle = style.getPropertyValue("--line");
      context.lineWidth = 1;
      context.strokeRect(LABEL_PX, Math.round(top + row - 3) + 0.5, width - LABEL_PX, 0);
      this.line(context, index, channel.colour ?? text, { top: top + 5, bottom: top + row - 5, width });
    });
  }

  line(context, index, colour, { top, bottom, width }) {
    const now = performance.now();
    const x = (at) => Math.max(LABEL_PX, width - ((now - at) / SPAN_MS) * (width - LABEL_PX));
    const y = (level) => bottom - level * (bottom - top);
    context.beginPath();
    let before = null;
    for (const { at, values } of this.samples) {
      const level = values[index] ?? 0;
      if (before === null) context.moveTo(x(at), y(level));
      else {
        context.lineTo(x(at), y(before));
        context.lineTo(x(at), y(level));
      }
      before = level;
    }
    if (before === null) return;
    context.lineTo(width, y(before));
    context.strokeStyle = colour;
    context.lineWidth = 1.75;
    context.lineJoin = "round";
    context.stroke();
    context.lineTo(width, bottom);
    context.lineTo(x(this.samples[0].at), bottom);
    context.globalAlpha = 0.14;
    context.fillStyle = colour;
    context.fill();
    context.globalAlpha = 1;
  }
}
