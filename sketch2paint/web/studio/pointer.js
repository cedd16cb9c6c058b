// Mouse, pen and fingers on the stage: one draws, two move and zoom the drawing.

const WHEEL = 0.0015; // of a wheel's turn in px to the logarithm of the zoom

/**
 * Listen to the stage.
 * @param {import("./view.js").View} view
 * @param {object} hand what the tool in hand does with points of the drawing
 * @param {(point: [number, number], event: PointerEvent) => void} hand.begin
 * @param {(point: [number, number], event: PointerEvent) => void} hand.move
 * @param {() => void} hand.end
 * @param {() => void} hand.cancel
 * @param {(point: [number, number], event: PointerEvent) => void} hand.hover
 * @param {() => void} hand.leave
 * @param {(event: PointerEvent) => boolean} hand.pans whether a press moves the drawing
 */
export function listen(view, hand) {
  const pointers = new Pointers(view, hand);
  const { stage } = view;
  stage.addEventListener("pointerdown", (event) => pointers.down(event));
  stage.addEventListener("pointermove", (event) => pointers.move(event));
  stage.addEventListener("pointerup", (event) => pointers.up(event));
  stage.addEventListener("pointercancel", (event) => pointers.up(event, true));
  stage.addEventListener("pointerleave", () => hand.leave());
  stage.addEventListener("blur", () => delete stage.dataset.by);
  stage.addEventListener("contextmenu", (event) => event.preventDefault());
  stage.addEventListener("wheel", (event) => turn(view, event), { passive: false });
}

function turn(view, event) {
  event.preventDefault();
  const pixels = event.deltaMode ? 16 * event.deltaY : event.deltaY;
  // a pinch on a trackpad comes as a wheel with Ctrl, in much smaller steps
  const speed = event.ctrlKey ? 6 * WHEEL : WHEEL;
  view.zoom(Math.exp(-speed * pixels), [event.clientX, event.clientY]);
}

class Pointers {
  constructor(view, hand) {
    this.view = view;
    this.hand = hand;
    /** @type {Map<number, PointerEvent>} */
    this.pressed = new Map();
    this.doing = "nothing"; // or "draw", "pan"
  }

  down(event) {
    if (this.pressed.size && (event.pointerType !== "touch" || this.pressed.size > 1)) return;
    this.view.stage.dataset.by = "pointer"; // no ring around what a hand works on
    this.view.stage.focus({ preventScroll: true });
    this.view.stage.setPointerCapture(event.pointerId);
    this.pressed.set(event.pointerId, event);
    if (this.pressed.size === 2) {
      if (this.doing === "draw") this.hand.cancel();
      this.doing = "pan";
    } else if (this.hand.pans(event)) {
      this.doing = "pan";
    } else if (event.button === 0 || event.button === 5) {
      this.doing = "draw";
      this.hand.begin(this.#point(event), event);
    }
    this.view.stage.dataset.doing = this.doing;
  }

  move(event) {
    if (this.doing !== "draw") this.hand.hover(this.#point(event), event);
    const before = this.pressed.get(event.pointerId);
    if (!before) return;
    if (this.doing === "pan") this.#pan(before, event);
    this.pressed.set(event.pointerId, event);
    if (this.doing !== "draw") return;
    const parts = event.getCoalescedEvents?.() ?? [];
    for (const part of parts.length ? parts : [event]) this.hand.move(this.#point(part), part);
  }

  up(event, cancelled = false) {
    if (!this.pressed.delete(event.pointerId)) return;
    if (this.doing === "draw") {
      if (cancelled) this.hand.cancel();
      else this.hand.end();
    }
    if (this.pressed.size && this.doing === "pan") return; // a finger that stays does not draw
    this.doing = "nothing";
    this.view.stage.dataset.doing = this.doing;
  }

  #pan(before, event) {
    const other = [...this.pressed].find(([id]) => id !== event.pointerId)?.[1];
    if (!other) {
      this.view.pan(event.clientX - before.clientX, event.clientY - before.clientY);
      return;
    }
    const far = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
    const middle = [(event.clientX + other.clientX) / 2, (event.clientY + other.clientY) / 2];
    const half = [event.clientX - before.clientX, event.clientY - before.clientY];
    this.view.pan(half[0] / 2, half[1] / 2);
    if (far(before) > 1) this.view.zoom(far(event) / far(before), middle);
  }

  #point(event) {
    return this.view.point(event.clientX, event.clientY);
  }
}
