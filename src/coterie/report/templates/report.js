"use strict";
(() => {
  const find = (selector, within = document) => within.querySelector(selector);
  const findAll = (selector, within = document) => [...within.querySelectorAll(selector)];
  const data = JSON.parse(find("#map-data").textContent);
  const numbers = (text) => {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    return new Uint16Array(bytes.buffer);
  };
  const x = numbers(data.x), y = numbers(data.y), confidence = numbers(data.confidence);
  const groups = { cluster: numbers(data.cluster), class: data.class ? numbers(data.class) : null };
  const canvas = find("#canvas"), paper = canvas.getContext("2d");
  const tip = find("#tip"), told = find("#told");
  const paths = data.shapes.map((shape) => new Path2D(shape));
  const sprite = data.pictures ? new Image() : null;
  const shown = { cluster: new Set(), class: new Set() };
  const view = { colour: "cluster", pictures: false, zoom: 1, cx: 0.5, cy: 0.5, point: -1, only: null };
  let colours = {}, size = { w: 1, h: 1, scale: 1 };
  const bounds = { w: Math.max(...x, 1) / 65535, h: Math.max(...y, 1) / 65535 };

  // Canvas cannot resolve CSS variables, so the page's own elements are asked what colour they ended up with.
  function readColours() {
    const probe = document.createElement("span");
    document.body.append(probe);
    const resolve = (value) => { probe.style.color = value; return getComputedStyle(probe).color; };
    colours.marks = [];
    for (let i = 0; i < data.colours; i++) {
      probe.className = "c" + i;
      colours.marks.push(getComputedStyle(probe).color);
    }
    probe.className = "";
    for (const name of ["surface", "text", "muted"]) colours[name] = resolve(`var(--${name})`);
    const ends = [["#d2500f", "#ff9a4d"], ["#c3c6cb", "#5c6672"], ["#24499f", "#8db1ff"]];
    const ramp = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const fade = ramp.createLinearGradient(0, 0, 64, 0);
    ends.forEach(([light, dark], i) => fade.addColorStop(i / 2, resolve(`light-dark(${light},${dark})`)));
    ramp.fillStyle = fade;
    ramp.fillRect(0, 0, 64, 1);
    const pixels = ramp.getImageData(0, 0, 64, 1).data;
    colours.ramp = Array.from({ length: 64 }, (_, i) => `rgb(${pixels[4 * i]},${pixels[4 * i + 1]},${pixels[4 * i + 2]})`);
    probe.remove();
  }

  const legend = () => (view.colour === "class" ? "class" : "cluster");
  const visible = (i) => {
    const group = legend(), k = groups[group][i];
    return shown[group].has(k) && (view.only === null || view.only === k);
  };
  const pad = 26;
  const place = (i) => {
    const s = size.scale * view.zoom;
    return [size.w / 2 + (x[i] / 65535 - view.cx) * s, size.h / 2 - (y[i] / 65535 - view.cy) * s];
  };

  function fit() {
    const box = canvas.getBoundingClientRect(), dense = window.devicePixelRatio || 1;
    size = { w: box.width, h: box.height, scale: 1 };
    size.scale = Math.min((size.w - 2 * pad) / Math.max(bounds.w, 1e-3), (size.h - 2 * pad) / Math.max(bounds.h, 1e-3));
    canvas.width = Math.round(size.w * dense);
    canvas.height = Math.round(size.h * dense);
    paper.setTransform(dense, 0, 0, dense, 0, 0);
    draw();
  }

  function drawMark(path, px, py, r) {
    paper.save();
    paper.translate(px, py);
    paper.scale(r, r);
    paper.fill(path);
    paper.restore();
  }

  function drawPoints() {
    const room = Math.sqrt((size.w * size.h) / data.n); // pixels between neighbours, were they spread evenly
    const r = Math.min(7, Math.min(4, Math.max(1.2, 0.2 * room)) * Math.sqrt(view.zoom));
    const group = groups[legend()];
    for (let i = 0; i < data.n; i++) {
      const here = visible(i);
      const [px, py] = place(i);
      if (!here || px < -9 || py < -9 || px > size.w + 9 || py > size.h + 9) continue;
      const k = group[i];
      paper.globalAlpha = 0.78;
      paper.fillStyle = view.colour === "confidence" ? colours.ramp[confidence[i] >> 10] : colours.marks[k % data.colours];
      drawMark(paths[view.colour === "confidence" ? 0 : Math.floor(k / data.colours) % paths.length], px, py, r);
    }
    paper.globalAlpha = 1;
  }

  function drawPictures() {
    const p = data.pictures, side = 26, group = groups[legend()], taken = new Set();
    const h = side * p.h / p.w;
    paper.imageSmoothingEnabled = false;
    for (let i = 0; i < p.count; i++) {
      const [px, py] = place(i);
      if (!visible(i) || px < 0 || py < 0 || px > size.w || py > size.h) continue;
      const cell = Math.floor(px / (side + 5)) + ":" + Math.floor(py / (h + 5));
      if (taken.has(cell)) continue;
      taken.add(cell);
      const left = Math.floor(px / (side + 5)) * (side + 5), top = Math.floor(py / (h + 5)) * (h + 5);
      paper.fillStyle = view.colour === "confidence" ? colours.ramp[confidence[i] >> 10] : colours.marks[group[i] % data.colours];
      paper.fillRect(left, top, side + 4, h + 4);
      paper.drawImage(sprite, (i % p.columns) * p.w, Math.floor(i / p.columns) * p.h, p.w, p.h, left + 2, top + 2, side, h);
    }
  }

  // Numbers stand on the map so that colour alone never tells clusters apart.
  function drawNames() {
    const group = legend(), members = new Map();
    for (let i = 0; i < data.n; i++) {
      if (!visible(i)) continue;
      const k = groups[group][i];
      if (!members.has(k)) members.set(k, []);
      members.get(k).push(i);
    }
    paper.font = `650 15px ${getComputedStyle(document.body).fontFamily}`;
    paper.textAlign = "center";
    paper.textBaseline = "middle";
    paper.lineJoin = "round";
    for (const [k, list] of members) {
      const middle = (values) => values.sort((a, b) => a - b)[values.length >> 1];
      const px = middle(list.map((i) => place(i)[0])), py = middle(list.map((i) => place(i)[1]));
      const name = (group === "class" ? data.classes[k] : data.called[k] || String(k)).slice(0, 18);
      paper.strokeStyle = colours.surface;
      paper.lineWidth = 5;
      paper.strokeText(name, px, py);
      paper.fillStyle = colours.text;
      paper.fillText(name, px, py);
    }
  }

  function draw() {
    paper.clearRect(0, 0, size.w, size.h);
    if (view.pictures && sprite.complete) drawPictures(); else drawPoints();
    if (!view.pictures) drawNames();
    if (view.point >= 0 && visible(view.point)) {
      const [px, py] = place(view.point);
      for (const [ink, width] of [[colours.surface, 5], [colours.text, 2]]) {
        paper.strokeStyle = ink;
        paper.lineWidth = width;
        paper.beginPath();
        paper.arc(px, py, 9, 0, 7);
        paper.stroke();
      }
    }
    canvas.dataset.drawn = "yes";
  }

  // What is nearly certain is not called certain.
  const sure = (q) => q > 0.99 && q < 1 ? Math.min(q, 0.999).toFixed(3) : q.toFixed(2);

  function describe(i) {
    const row = data.rows[i], lines = [data.names ? data.names[i] : `Row ${row}`];
    const k = groups.cluster[i];
    lines.push(`Cluster ${k}${data.called[k] ? `, ${data.called[k]}` : ""}, confidence ${sure(confidence[i] / 65535)}`);
    if (data.classes) lines.push(`Labelled ${data.classes[groups.class[i]]}`);
    return lines.join("\n");
  }

  function select(i, aloud) {
    if (i === view.point && !aloud) return;
    view.point = i;
    tip.hidden = i < 0;
    if (i >= 0) {
      const [px, py] = place(i), picture = find("canvas", tip), p = data.pictures;
      find("p", tip).textContent = describe(i);
      picture.hidden = !p || i >= p.count;
      if (!picture.hidden) {
        picture.height = Math.round(84 * p.h / p.w);
        const pen = picture.getContext("2d");
        pen.imageSmoothingEnabled = false;
        pen.drawImage(sprite, (i % p.columns) * p.w, Math.floor(i / p.columns) * p.h, p.w, p.h, 0, 0, 84, picture.height);
      }
      const left = px + 16 + tip.offsetWidth < size.w ? px + 16 : Math.max(4, px - 16 - tip.offsetWidth);
      tip.style.left = `${left}px`;
      tip.style.top = `${Math.min(Math.max(4, py - tip.offsetHeight / 2), Math.max(4, size.h - tip.offsetHeight - 4))}px`;
      if (aloud) told.textContent = describe(i);
    }
    draw();
  }

  function bringIntoView(i) {
    const [px, py] = place(i);
    if (px < 0 || py < 0 || px > size.w || py > size.h) { view.cx = x[i] / 65535; view.cy = y[i] / 65535; }
  }

  function nearest(px, py, within, direction) {
    let best = -1, least = within;
    for (let i = 0; i < data.n; i++) {
      if (i === view.point && direction || !visible(i)) continue;
      const [qx, qy] = place(i), dx = qx - px, dy = qy - py;
      if (direction) {
        const ahead = dx * direction[0] + dy * direction[1], aside = Math.abs(dx * direction[1]) + Math.abs(dy * direction[0]);
        if (ahead < 1 || aside > ahead) continue;
      }
      const distance = Math.hypot(dx, dy);
      if (distance < least) { least = distance; best = i; }
    }
    return best;
  }

  function zoom(factor) {
    view.zoom = factor ? Math.min(40, Math.max(1, view.zoom * factor)) : 1;
    if (view.zoom === 1) { view.cx = bounds.w / 2; view.cy = bounds.h / 2; }
    canvas.classList.toggle("zoomed", view.zoom > 1);
    select(-1);
    draw();
  }

  const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  canvas.addEventListener("keydown", (event) => {
    const direction = steps[event.key];
    if (direction) {
      event.preventDefault();
      const from = view.point >= 0 ? place(view.point) : [size.w / 2, size.h / 2];
      const next = view.point >= 0 ? nearest(...from, Infinity, direction) : nearest(...from, Infinity);
      if (next >= 0) { bringIntoView(next); select(next, true); }
    } else if (event.key === "+" || event.key === "=") zoom(1.6);
    else if (event.key === "-") zoom(1 / 1.6);
    else if (event.key === "Escape") select(-1);
  });
  let grip = null;
  canvas.addEventListener("pointerdown", (event) => {
    if (view.zoom > 1) { grip = [event.clientX, event.clientY]; canvas.setPointerCapture(event.pointerId); }
  });
  canvas.addEventListener("pointerup", () => { grip = null; });
  canvas.addEventListener("pointermove", (event) => {
    if (grip) {
      view.cx -= (event.clientX - grip[0]) / size.scale / view.zoom;
      view.cy += (event.clientY - grip[1]) / size.scale / view.zoom;
      grip = [event.clientX, event.clientY];
      select(-1);
      draw();
      return;
    }
    const box = canvas.getBoundingClientRect();
    select(nearest(event.clientX - box.left, event.clientY - box.top, 14));
  });
  canvas.addEventListener("pointerleave", () => select(-1));
  canvas.addEventListener("blur", () => select(-1));
  canvas.addEventListener("dblclick", () => zoom(2));
  for (const button of findAll("[data-zoom]")) {
    button.addEventListener("click", () => zoom({ in: 1.6, out: 1 / 1.6, reset: 0 }[button.dataset.zoom]));
  }

  for (const group of ["cluster", "class"]) {
    const box = find(`#legend-${group}`);
    if (!box) continue;
    const buttons = findAll("[data-k]", box);
    const set = (button, on) => {
      button.setAttribute("aria-pressed", String(on));
      shown[group][on ? "add" : "delete"](Number(button.dataset.k));
    };
    for (const button of buttons) {
      const k = Number(button.dataset.k);
      set(button, true);
      button.addEventListener("click", () => { set(button, !shown[group].has(k)); view.only = null; draw(); });
      button.addEventListener("pointerenter", () => { if (shown[group].has(k)) { view.only = k; draw(); } });
      button.addEventListener("pointerleave", () => { view.only = null; draw(); });
    }
    for (const button of findAll("[data-all]", box)) {
      button.addEventListener("click", () => { buttons.forEach((each) => set(each, button.dataset.all === "true")); draw(); });
    }
  }
  for (const button of findAll("[data-colour]")) {
    button.addEventListener("click", () => {
      view.colour = button.dataset.colour;
      findAll("[data-colour]").forEach((each) => each.setAttribute("aria-pressed", String(each === button)));
      for (const each of findAll(".legend")) each.hidden = each.id !== `legend-${view.colour}`;
      select(-1);
      draw();
    });
  }
  const pictures = find("#pictures");
  pictures?.addEventListener("click", () => {
    view.pictures = !view.pictures;
    pictures.setAttribute("aria-pressed", String(view.pictures));
    draw();
  });

  const theme = find("#theme"), root = document.documentElement, system = matchMedia("(prefers-color-scheme: dark)");
  const recolour = () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : system.matches;
    theme.setAttribute("aria-pressed", String(dark));
    readColours();
    draw();
  };
  theme.addEventListener("click", () => {
    root.dataset.theme = theme.getAttribute("aria-pressed") === "true" ? "light" : "dark";
    recolour();
  });
  system.addEventListener("change", recolour);
  let before;
  addEventListener("beforeprint", () => { before = root.dataset.theme; root.dataset.theme = "light"; readColours(); draw(); });
  addEventListener("afterprint", () => {
    if (before) root.dataset.theme = before; else delete root.dataset.theme;
    recolour();
  });
  if (sprite) { sprite.addEventListener("load", draw); sprite.src = data.pictures.src; }
  readColours();
  zoom(0);
  recolour();
  new ResizeObserver(fit).observe(canvas);
})();
