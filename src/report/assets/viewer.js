// Slices through the maps of a report. Plain script: no library, no request; every datum is in the page.
"use strict";

(() => {
  const AXES = ["x", "y", "z"];
  // Along which axis a view cuts, and which axes run to the right and upwards.
  const VIEWS = [
    { name: "axial", along: 2, right: 0, up: 1, ends: ["L", "R"] },
    { name: "coronal", along: 1, right: 0, up: 2, ends: ["L", "R"] },
    { name: "sagittal", along: 0, right: 1, up: 2, ends: ["P", "A"] },
  ];
  const viewers = [];

  async function unpack(text, Numbers) {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Numbers(await new Response(stream).arrayBuffer());
  }

  function element(tag, attributes, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  const minus = (number, digits) => number.toFixed(digits).replace("-", "\u2212");

  class Viewer {
    constructor(root, data) {
      this.root = root;
      this.data = data;
      this.threshold = data.threshold;
      this.place = data.shape.map((length) => Math.floor(length / 2));
      this.maps = new Map();
    }

    async start() {
      this.mean = await unpack(this.data.mean, Uint8Array);
      this.build();
      await this.choose(this.data.maps[0].number);
      this.toStrongest();
    }

    build() {
      const { data, root } = this;
      const id = root.id;
      this.select = element("select", { id: `${id}-map` });
      data.maps.forEach((map) => this.select.append(new Option(map.name, map.number)));
      this.select.addEventListener("change", async () => {
        await this.choose(Number(this.select.value));
        this.draw();
      });
      this.slider = this.range(`${id}-threshold`, 0, 10, 0.1, this.threshold, (value) => {
        this.threshold = value;
        this.draw();
      });
      this.limit = element("output", { for: `${id}-threshold` });
      const peak = element("button", { type: "button" }, "strongest voxel");
      peak.addEventListener("click", () => this.toStrongest());
      const controls = element("div", { class: "controls" },
        element("label", { for: this.select.id }, "contrast "), this.select,
        element("label", { for: this.slider.id }, "threshold |z| "), this.slider, this.limit, peak);
      this.readout = element("p", { class: "readout", "aria-live": "polite" });
      // the same scale in all planes
      const widths = VIEWS.map(({ right }) => `${data.shape[right] * data.sizes[right]}fr`).join(" ");
      const planes = element("div", { class: "planes", style: `grid-template-columns: ${widths}` });
      this.planes = VIEWS.map((view) => this.plane(view, planes));
      const keys = "Click or drag to move the cross; wheel, Page Up and Page Down change the slice, arrow keys move the cross.";
      root.append(controls, this.readout, planes, element("p", { class: "note" }, keys));
    }

    range(id, low, high, step, value, change) {
      const slider = element("input", { type: "range", id, min: low, max: high, step });
      slider.value = value;
      slider.addEventListener("input", () => change(Number(slider.value)));
      return slider;
    }

    plane(view, parent) {
      const { data } = this;
      const width = data.shape[view.right] * data.sizes[view.right];
      const height = data.shape[view.up] * data.sizes[view.up];
      const finest = Math.min(...data.sizes);
      // at least three pixels a voxel, and large enough that the cross is thin
      const scale = Math.max(3 / finest, 360 / Math.max(width, height));
      const canvas = element("canvas", {
        width: Math.round(width * scale), height: Math.round(height * scale), tabindex: 0, role: "img",
      });
      const slices = data.shape[view.along];
      const slider = this.range(`${this.root.id}-${view.name}`, 0, slices - 1, 1, this.place[view.along], (value) => this.move(view.along, value));
      const label = element("label", { for: slider.id });
      parent.append(element("div", { class: "plane" }, canvas, label, slider));
      const image = new ImageData(data.shape[view.right], data.shape[view.up]);
      const small = element("canvas", { width: image.width, height: image.height });
      const plane = { view, canvas, small, image, slider, label };
      this.listen(plane);
      return plane;
    }

    listen({ view, canvas }) {
      const { shape } = this.data;
      const point = (event) => {
        const box = canvas.getBoundingClientRect();
        const across = Math.floor(((event.clientX - box.left) / box.width) * shape[view.right]);
        const up = shape[view.up] - 1 - Math.floor(((event.clientY - box.top) / box.height) * shape[view.up]);
        const place = [...this.place];
        [place[view.right], place[view.up]] = [across, up];
        this.go(place);
      };
      canvas.addEventListener("pointerdown", (event) => {
        canvas.setPointerCapture(event.pointerId);
        point(event);
      });
      canvas.addEventListener("pointermove", (event) => event.buttons && point(event));
      canvas.addEventListener("wheel", (event) => {
        if (event.ctrlKey) return; // the browser's zoom
        event.preventDefault();
        this.move(view.along, this.place[view.along] + (event.deltaY < 0 ? 1 : -1));
      }, { passive: false });
      const steps = {
        ArrowLeft: [view.right, -1], ArrowRight: [view.right, 1], ArrowDown: [view.up, -1], ArrowUp: [view.up, 1],
        PageDown: [view.along, -1], PageUp: [view.along, 1],
      };
      canvas.addEventListener("keydown", (event) => {
        const step = steps[event.key];
        if (!step) return;
        event.preventDefault();
        this.move(step[0], this.place[step[0]] + step[1]);
      });
    }

    async choose(number) {
      const map = this.data.maps.find((map) => map.number === number);
      if (!this.maps.has(number)) this.maps.set(number, await unpack(map.data, Int16Array));
      this.map = this.maps.get(number);
      this.largest = map.largest;
      this.select.value = number;
      this.slider.max = Math.max(1, Math.ceil(this.largest * 10) / 10);
      this.slider.value = this.threshold;
    }

    move(axis, value) {
      const place = [...this.place];
      place[axis] = value;
      this.go(place);
    }

    go(place) {
      this.place = place.map((at, axis) => Math.max(0, Math.min(this.data.shape[axis] - 1, at)));
      this.draw();
    }

    /** To the voxel nearest to a place in mm: the affine's inverse by Cramer's rule. */
    goTo(mm) {
      const [a, b, c] = this.data.affine;
      const right = [mm[0] - a[3], mm[1] - b[3], mm[2] - c[3]];
      const determinant = (m) =>
        m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0]) +
        m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]);
      const matrix = [a, b, c].map((row) => row.slice(0, 3));
      const whole = determinant(matrix);
      this.go(AXES.map((_, axis) => {
        const replaced = matrix.map((row, at) => row.map((value, column) => (column === axis ? right[at] : value)));
        return Math.round(determinant(replaced) / whole);
      }));
    }

    toStrongest() {
      const [nx, ny] = this.data.shape;
      let best = -1;
      let most = -1;
      this.map.forEach((value, at) => {
        if (value !== this.data.outside && Math.abs(value) > most) [best, most] = [at, Math.abs(value)];
      });
      if (best >= 0) this.go([best % nx, Math.floor(best / nx) % ny, Math.floor(best / (nx * ny))]);
    }

    at(place) {
      const [nx, ny] = this.data.shape;
      return place[0] + nx * (place[1] + ny * place[2]);
    }

    mm(place) {
      return this.data.affine.map((row) => row[0] * place[0] + row[1] * place[1] + row[2] * place[2] + row[3]);
    }

    draw() {
      this.planes.forEach((plane) => this.drawPlane(plane));
      const value = this.map[this.at(this.place)];
      const [x, y, z] = this.mm(this.place).map((mm) => minus(mm, 1));
      const statistic = value === this.data.outside ? "outside the mask" : `z = ${minus(value * this.data.step, 2)}`;
      this.readout.textContent = `x = ${x}, y = ${y}, z = ${z} mm: ${statistic}`;
      this.limit.textContent = this.threshold.toFixed(1);
    }

    drawPlane({ view, canvas, small, image, slider, label }) {
      const { data } = this;
      const place = [0, 0, 0];
      place[view.along] = this.place[view.along];
      const range = Math.max(this.largest - this.threshold, 1e-6);
      const last = data.positive.length - 1;
      let target = 0;
      for (let up = data.shape[view.up] - 1; up >= 0; up -= 1) {
        place[view.up] = up;
        for (let across = 0; across < data.shape[view.right]; across += 1) {
          place[view.right] = across;
          const at = this.at(place);
          const z = this.map[at] === data.outside ? 0 : this.map[at] * data.step;
          const size = Math.abs(z);
          if (size > 0 && size >= this.threshold) {
            const share = Math.min(1, (size - this.threshold) / range);
            const colour = (z > 0 ? data.positive : data.negative)[Math.round(share * last)];
            image.data.set(colour, target);
          } else {
            image.data.fill(this.mean[at], target, target + 3);
          }
          image.data[target + 3] = 255;
          target += 4;
        }
      }
      small.getContext("2d").putImageData(image, 0, 0);
      const context = canvas.getContext("2d");
      context.imageSmoothingEnabled = false;
      context.drawImage(small, 0, 0, canvas.width, canvas.height);
      this.drawCross(context, view, canvas);
      const mm = this.mm(this.place)[view.along];
      slider.value = this.place[view.along];
      label.textContent = `${view.name}, ${AXES[view.along]} = ${minus(mm, 1)} mm`;
      canvas.setAttribute("aria-label", `${view.name} slice at ${AXES[view.along]} = ${minus(mm, 1)} mm`);
    }

    drawCross(context, view, canvas) {
      const { shape } = this.data;
      const x = Math.round(((this.place[view.right] + 0.5) / shape[view.right]) * canvas.width) + 0.5;
      const y = Math.round((1 - (this.place[view.up] + 0.5) / shape[view.up]) * canvas.height) + 0.5;
      const gap = Math.max(8, (0.8 * canvas.width) / shape[view.right]);
      context.strokeStyle = "rgba(90, 235, 120, 0.9)";
      context.beginPath();
      for (const [fromX, fromY, toX, toY] of [[0, y, x - gap, y], [x + gap, y, canvas.width, y], [x, 0, x, y - gap], [x, y + gap, x, canvas.height]]) {
        context.moveTo(fromX, fromY);
        context.lineTo(toX, toY);
      }
      context.stroke();
      context.fillStyle = "#ddd";
      context.font = "14px sans-serif";
      context.fillText(view.ends[0], 6, 18);
      context.fillText(view.ends[1], canvas.width - 18, 18);
    }
  }

  async function begin() {
    for (const root of document.querySelectorAll(".viewer")) {
      if (typeof DecompressionStream === "undefined") {
        root.append(element("p", { class: "note" }, "This browser is too old for the viewer (no DecompressionStream)."));
        continue;
      }
      const viewer = new Viewer(root, JSON.parse(document.getElementById(`${root.id}-data`).textContent));
      await viewer.start();
      viewers.push(viewer);
      root.dataset.ready = "true";
    }
    for (const button of document.querySelectorAll("button.go")) {
      const [number, contrast, ...mm] = button.value.split(" ").map(Number);
      const viewer = viewers.find(({ root }) => root.id === `viewer-${number}`);
      if (!viewer) continue;
      button.hidden = false;
      button.addEventListener("click", async () => {
        await viewer.choose(contrast);
        viewer.goTo(mm);
        viewer.root.scrollIntoView({ block: "center" });
      });
    }
  }

  begin();
})();
