"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const [start, form, end, player, missing] = ["start", "piece", "end", "player", "missing"].map((id) => document.getElementById(id));
const STORE = "listening-test-" + data.test;
const SHARE = 0.5; // of a piece that must have been heard before it can be rated

function below(count) {
  return crypto.getRandomValues(new Uint32Array(1))[0] % count;
}

function shuffled(list) {
  const rest = [...list];
  for (let last = rest.length - 1; last > 0; last--) {
    const other = below(last + 1);
    [rest[last], rest[other]] = [rest[other], rest[last]];
  }
  return rest;
}

// Every listener hears some rounds, in an own order, and the pieces of each in an own order.
function newListener() {
  const digits = [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0"));
  const order = shuffled(data.rounds).slice(0, data.rounds_heard).flatMap(shuffled);
  return { listener: digits.join(""), name: "", started: new Date().toISOString(), order, at: -1, ratings: {} };
}

function remembered() {
  try {
    const state = JSON.parse(localStorage.getItem(STORE));
    return state && state.order.every((piece) => piece in data.sounds) ? state : null;
  } catch {
    return null; // nothing kept, or the browser keeps nothing
  }
}

function remember() {
  try { localStorage.setItem(STORE, JSON.stringify(state)); } catch { /* then only this window does */ }
}

let state = remembered() || newListener();

function answersOf(piece) {
  state.ratings[piece] = state.ratings[piece] || { seconds: 0 };
  return state.ratings[piece];
}

function lacks(piece) {
  return data.questions.filter((question) => !(question in answersOf(piece)));
}

function show(focus = true) {
  const piece = state.order[state.at];
  start.hidden = state.at >= 0;
  form.hidden = !piece;
  end.hidden = state.at < state.order.length;
  missing.hidden = true;
  player.pause();
  if (piece) {
    document.getElementById("piece-title").textContent = `Piece ${state.at + 1} of ${state.order.length}`;
    const progress = document.getElementById("progress");
    progress.max = state.order.length;
    progress.value = state.at;
    document.getElementById("next").textContent = state.at + 1 < state.order.length ? "Next piece" : "Finish";
    player.src = data.sounds[piece];
    form.querySelectorAll("input").forEach((input) => {
      input.checked = answersOf(piece)[input.name] === Number(input.value);
    });
  } else {
    player.removeAttribute("src");
  }
  if (focus) {
    scrollTo(0, 0);
    document.querySelector("main > :not([hidden]) h2").focus({ preventScroll: true });
  }
}

function go(to) {
  state.at = to;
  remember();
  show();
}

// How long a piece has been heard; jumps do not count.
let before = 0;
player.addEventListener("play", () => { before = player.currentTime; });
player.addEventListener("seeked", () => { before = player.currentTime; });
player.addEventListener("timeupdate", () => {
  const passed = player.currentTime - before;
  before = player.currentTime;
  const piece = state.order[state.at];
  if (piece && passed > 0 && passed < 2) {
    const answers = answersOf(piece);
    answers.seconds = Math.round((answers.seconds + passed) * 10) / 10;
  }
});

form.addEventListener("change", (event) => {
  answersOf(state.order[state.at])[event.target.name] = Number(event.target.value);
  missing.hidden = true;
  remember();
});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const piece = state.order[state.at];
  const wanted = lacks(piece);
  const length = Number.isFinite(player.duration) ? player.duration : data.seconds;
  if (answersOf(piece).seconds < SHARE * length) {
    missing.textContent = "Please listen to at least half of the piece first.";
  } else if (wanted.length) {
    missing.textContent = `Please also rate: ${wanted.join(", ")}.`;
    form.querySelector(`input[name="${wanted[0]}"]`).focus();
  } else {
    go(state.at + 1);
    return;
  }
  missing.hidden = false;
});

document.getElementById("name").value = state.name;
document.getElementById("name").addEventListener("input", (event) => { state.name = event.target.value; remember(); });
document.getElementById("begin").addEventListener("click", () => go(0));
document.getElementById("back").addEventListener("click", () => go(state.at - 1));
document.getElementById("review").addEventListener("click", () => go(state.order.length - 1));

document.getElementById("save").addEventListener("click", () => {
  const { listener, name, started } = state;
  const ratings = state.order.map((piece) => ({ piece, ...answersOf(piece) }));
  const content = { format: data.format, version: data.version, test: data.test, listener, name, started, saved: new Date().toISOString(), ratings };
  const link = document.createElement("a");
  link.download = `ratings_${data.test}_${listener}.json`;
  link.href = URL.createObjectURL(new Blob([JSON.stringify(content, null, 2) + "\n"], { type: "application/json" }));
  link.click();
  document.getElementById("saved").textContent = `Saved as ${link.download}, where your browser keeps downloads.`;
});

document.getElementById("again").addEventListener("click", () => {
  if (!confirm("Have you saved your ratings? They are removed from this page now.")) return;
  state = newListener();
  document.getElementById("name").value = "";
  document.getElementById("saved").textContent = "";
  go(-1);
});

show(false);
