// Finds text that is hard to read, against what is really behind it: blur, translucency and gradients included.
// `texts` runs in the page and lists the text; `measure` runs in an empty page over a screenshot without text.
({
  texts() {
    const found = [];
    // Text for screen readers only lies in a box of a pixel.
    const clipped = (node) => { for (let at = node; at; at = at.parentElement) if (getComputedStyle(at).clipPath === "inset(50%)") return true; return false; };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const node = walker.currentNode;
      const parent = node.parentElement;
      if (!node.textContent.trim() || ["SCRIPT", "STYLE", "NOSCRIPT", "TITLE", "title"].includes(parent.tagName)) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      const style = getComputedStyle(parent);
      if (style.visibility !== "visible" || !parent.checkVisibility() || parent.closest(".sr, .skip, [hidden]") || clipped(parent)) continue;
      const colour = parent.namespaceURI.endsWith("svg") ? style.fill : style.color;
      for (const box of range.getClientRects()) { // one for each line: the box of all lines holds its neighbours too
        if (box.width < 3 || box.height < 3) continue;
        found.push({ text: node.textContent.trim().slice(0, 50), colour, x: box.x + scrollX, y: box.y + scrollY, width: box.width, height: box.height });
      }
    }
    return found;
  },
  hide() {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("* { color: transparent !important; caret-color: transparent !important; text-decoration-color: transparent !important } " +
      "svg text { fill: transparent !important } summary::marker, li::marker { color: transparent !important } .bar { position: static !important }");
    document.adoptedStyleSheets = [sheet];
  },
  async measure([picture, texts]) {
    const image = new Image();
    image.src = `data:image/png;base64,${picture}`;
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(image, 0, 0);
    const swatch = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const light = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
      .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const rgb = (colour) => { swatch.fillStyle = colour; swatch.fillRect(0, 0, 1, 1); return swatch.getImageData(0, 0, 1, 1).data; };
    return texts.flatMap((text) => {
      const [x, y] = [Math.max(0, Math.round(text.x)), Math.max(0, Math.round(text.y))];
      const [w, h] = [Math.min(Math.round(text.width), image.width - x), Math.min(Math.round(text.height), image.height - y)];
      if (w < 2 || h < 2) return [];
      const ink = light(rgb(text.colour));
      const pixels = context.getImageData(x, y, w, h).data;
      const ratios = [];
      for (let at = 0; at < pixels.length; at += 4 * 7) {
        const ground = light(pixels.subarray(at, at + 3));
        ratios.push((Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05));
      }
      ratios.sort((a, b) => a - b);
      return [{ ...text, ratio: ratios[Math.floor(ratios.length * 0.05)] }]; // a border or a dot may touch the box
    });
  },
})
