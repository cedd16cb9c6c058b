// Of both pages: the dialog that shows one card large. The page's own script stands behind this.

globalThis.Viewer = class {
  // `cards` in the order that the arrow keys take; `figures(card)` gives what the dialog shows.
  constructor(cards, figures) {
    this.cards = cards;
    this.figures = figures;
    this.at = 0;
    this.dialog = document.querySelector("dialog");
    this.panes = this.dialog.querySelector(".panes");
    const [previous, next, close] = this.dialog.querySelectorAll(".bar button");
    previous.onclick = () => this.show(this.at - 1);
    next.onclick = () => this.show(this.at + 1);
    close.onclick = () => this.dialog.close();
    this.dialog.onclose = () => this.cards[this.at].focus();
    for (const card of cards) card.onclick = () => this.show(this.cards.indexOf(card));
  }

  show(number) {
    this.at = (number + this.cards.length) % this.cards.length;
    const card = this.cards[this.at];
    this.panes.replaceChildren(...this.figures(card));
    this.dialog.querySelector(".bar b").textContent = card.dataset.name;
    this.dialog.querySelector(".place").textContent = `${this.at + 1} / ${this.cards.length}`;
    if (!this.dialog.open) this.dialog.showModal();
  }

  step(event) {
    // an arrow key opens the dialog where it is closed
    if (event.key === "ArrowRight") this.show(this.dialog.open ? this.at + 1 : this.at);
    else if (event.key === "ArrowLeft") this.show(this.at - 1);
    else return;
    event.preventDefault();
  }

  // A picture of a card in a frame, with its label; what a page adds goes into the parts.
  static framed(thumb, src) {
    const figure = document.createElement("figure");
    const label = document.createElement("figcaption");
    const frame = document.createElement("div");
    const picture = new Image();
    label.append(thumb.alt);
    frame.className = "frame";
    picture.alt = thumb.alt;
    picture.src = src;
    frame.append(picture);
    figure.append(label, frame);
    return { figure, label, frame, picture };
  }
};
