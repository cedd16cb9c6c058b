const viewer = new Viewer([...document.querySelectorAll(".card")], (card) => {
  viewer.panes.classList.remove("actual");
  viewer.dialog.querySelector(".size").textContent = card.dataset.size;
  return [...card.querySelectorAll("img")].map(pane);
});

function pane(thumb) {
  const { figure, label, frame, picture } = Viewer.framed(thumb, thumb.dataset.medium || thumb.src);
  frame.onclick = () => viewer.panes.classList.toggle("actual");
  frame.onscroll = () => follow(frame);
  if (thumb.dataset.full) {
    // the file itself, where it still lies beside the page
    const full = new Image();
    full.onload = () => {
      picture.src = full.src;
      const link = document.createElement("a");
      link.href = full.src;
      link.textContent = "file";
      label.append(" \u00b7 ", link);
    };
    full.src = thumb.dataset.full;
  }
  return figure;
}

// At their own pixels all show the same spot.
function follow(one) {
  for (const other of viewer.panes.querySelectorAll(".frame")) {
    if (other !== one) other.scrollTo(one.scrollLeft, one.scrollTop);
  }
}

document.addEventListener("keydown", (event) => {
  if (viewer.dialog.open) viewer.step(event);
});
