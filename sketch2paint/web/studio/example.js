// A line drawing to try the page with: a boat on the sea, drawn here, so that no file is needed.

const WIDTH = 800;
const HEIGHT = 600;
const LINE = 5;
const PATHS = [
  "M0 420Q50 400 100 420T200 420T300 420T400 420T500 420T600 420T700 420T800 420", // the sea
  "M190 395H610Q585 490 520 500H280Q215 490 190 395Z", // the hull
  "M207 440H593",
  "M396 395V90H404V395Z", // the mast
  "M404 105Q540 230 585 370H404Z", // the sails
  "M404 240H521",
  "M396 150Q300 260 235 370H396Z",
  "M404 90L404 60L460 75L404 92Z", // a flag
  "M300 470m-14 0a14 14 0 1 0 28 0a14 14 0 1 0 -28 0M400 470m-14 0a14 14 0 1 0 28 0a14 14 0 1 0 -28 0" +
    "M500 470m-14 0a14 14 0 1 0 28 0a14 14 0 1 0 -28 0",
  "M120 120m-50 0a50 50 0 1 0 100 0a50 50 0 1 0 -100 0", // the sun
  "M120 50V25M120 190V215M50 120H25M190 120H215M70 70L53 53M170 170L187 187M170 70L187 53M70 170L53 187",
  "M560 130Q565 95 605 100Q625 65 665 85Q705 80 710 115Q745 125 730 155H575Q545 150 560 130Z", // a cloud
  "M640 408Q670 330 715 325Q770 335 800 380V420", // an island
  "M700 326Q706 270 698 235M698 235Q665 215 650 245Q675 240 698 235Q735 215 752 248Q725 240 698 235" +
    "Q690 195 655 200Q685 215 698 235Q715 195 745 205Q715 215 698 235",
  "M90 500Q125 465 170 500Q125 535 90 500ZM90 500L62 478V522ZM145 492h.1", // a fish
  "M0 560Q50 545 100 560T200 560M560 555Q610 540 660 555T760 555",
];

/**
 * Draw the example onto a canvas, as large as it goes.
 * @param {HTMLCanvasElement} canvas
 */
export function drawExample(canvas) {
  const context = canvas.getContext("2d");
  const scale = canvas.width / WIDTH;
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.scale(scale, scale);
  context.lineWidth = Math.max(LINE, 1.2 / scale);
  context.lineCap = context.lineJoin = "round";
  context.fillStyle = "#fff"; // what lies in front hides what is behind
  for (const path of PATHS) {
    const shape = new Path2D(path);
    if (path.includes("Z")) context.fill(shape);
    context.stroke(shape);
  }
  context.setTransform(1, 0, 0, 1, 0, 0);
}

/** The example as a picture file. */
export async function exampleFile(name) {
  const canvas = Object.assign(document.createElement("canvas"), { width: WIDTH, height: HEIGHT });
  drawExample(canvas);
  const blob = await new Promise((done) => canvas.toBlob(done));
  return new File([blob], name, { type: "image/png" });
}
