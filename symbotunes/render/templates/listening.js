"use strict";
const players = [...document.querySelectorAll("audio")];
const playAll = document.getElementById("all");
let inTurn = false;

function blobOf(address) {
  const [head, body] = address.split(",", 2);
  const bytes = Uint8Array.from(atob(body), (letter) => letter.charCodeAt(0));
  return new Blob([bytes], { type: head.slice(5).split(";")[0] });
}

// Where the playhead stands at a time: the line of the roll, and the share of its width.
function placeAt(lines, seconds) {
  const starts = lines.filter((line) => line.times[0][0] <= seconds);
  const line = starts[starts.length - 1] || lines[0];
  const next = Math.max(1, line.times.findIndex(([at]) => at > seconds));
  const [[from, left], [to, right]] = [line.times[next - 1], line.times[next]];
  const share = Math.min(1, Math.max(0, (seconds - from) / (to - from)));
  const past = seconds >= line.times[line.times.length - 1][0];
  return { line, x: past ? line.times[line.times.length - 1][1] : left + share * (right - left) };
}

// The reverse: what sounds at a point of the roll.
function timeAt(lines, x, y) {
  const line = lines.find((each) => y <= each.bottom) || lines[lines.length - 1];
  const next = Math.max(1, line.times.findIndex(([, share]) => share > x));
  const [[from, left], [to, right]] = [line.times[next - 1], line.times[next]];
  const end = line.times[line.times.length - 1];
  return x >= end[1] ? end[0] : from + Math.max(0, (x - left) / (right - left)) * (to - from);
}

function label() {
  playAll.textContent = inTurn && players.some((player) => !player.paused) ? "Pause" : "Play all";
}

players.forEach((player, index) => {
  const card = player.closest(".card");
  const roll = card.querySelector(".roll");
  const head = card.querySelector(".playhead");
  const lines = roll ? JSON.parse(roll.dataset.lines) : [];

  function move() {
    if (lines.length) {
      const { line, x } = placeAt(lines, player.currentTime);
      head.hidden = false;
      head.style.left = 100 * x + "%";
      head.style.top = 100 * line.top + "%";
      head.style.height = 100 * (line.bottom - line.top) + "%";
    }
    if (!player.paused) requestAnimationFrame(move);
  }

  player.addEventListener("play", () => {
    players.forEach((other) => { if (other !== player) other.pause(); });
    card.classList.add("playing");
    move();
    label();
  });
  player.addEventListener("pause", () => { card.classList.remove("playing"); label(); });
  player.addEventListener("seeking", move);
  player.addEventListener("ended", () => {
    const next = players[index + 1];
    if (!inTurn || !next) { inTurn = false; label(); return; }
    next.currentTime = 0;
    next.closest(".card").scrollIntoView({ block: "start" });
    next.play();
  });
  if (roll) roll.addEventListener("click", (event) => {
    const box = roll.getBoundingClientRect();
    player.currentTime = timeAt(lines, (event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
    player.play();
  });
});

playAll.hidden = !players.length;
playAll.addEventListener("click", () => {
  const sounding = players.find((player) => !player.paused);
  if (inTurn && sounding) { inTurn = false; sounding.pause(); return; }
  inTurn = true;
  if (sounding) label();
  else { players[0].currentTime = 0; players[0].play(); }
});

// Sound and pictures are in the page once; browsers refuse to download data addresses beyond about
// 2 MB, so they leave as blobs.
document.querySelectorAll('.downloads a[href^="#"]').forEach((link) => {
  const shown = document.getElementById(link.getAttribute("href").slice(1));
  link.addEventListener("click", () => {
    if (!link.href.startsWith("blob:")) link.href = URL.createObjectURL(blobOf(shown.src));
  });
});

document.querySelectorAll(".copy").forEach((button) => button.addEventListener("click", async () => {
  const text = button.parentElement.querySelector("pre");
  try {
    await navigator.clipboard.writeText(text.textContent);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  } catch {
    getSelection().selectAllChildren(text); // without the permission, the text is at least marked
  }
}));
