// Slide to answer: the finger draws the button up or to the right. A tap answers as before.

const ANSWER_PX = 72; // way of the finger that answers: a thumb's reach, and no slip of a tap

/** Answer when a finger has drawn the button far enough and lets go. */
export function slideToAnswer(button, answer) {
  let from = null;
  const way = ({ clientX, clientY }) => Math.max(0, clientX - from.x, from.y - clientY);
  const follow = (event) => {
    if (event.pointerId !== from?.id) return;
    const right = Math.max(0, event.clientX - from.x);
    const up = Math.max(0, from.y - event.clientY);
    button.style.translate = right > up ? `${right}px 0` : `0 ${-up}px`;
  };
  const end = (event) => {
    if (event.pointerId !== from?.id) return;
    const answered = event.type === "pointerup" && way(event) >= ANSWER_PX;
    from = null;
    button.style.translate = "";
    if (answered) answer();
  };
  button.addEventListener("pointerdown", ({ pointerId, pointerType, clientX, clientY }) => {
    if (pointerType !== "touch") return;
    from = { id: pointerId, x: clientX, y: clientY };
    button.setPointerCapture(pointerId);
  });
  button.addEventListener("pointermove", follow);
  button.addEventListener("pointerup", end);
  button.addEventListener("pointercancel", end);
}
