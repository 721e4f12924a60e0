// Colours: a hue for each motif by its place among the dendrogram's leaves, so that alike motifs look alike.

/** OKLCH (Ottosson 2020) as a CSS colour; chroma is lowered until the screen can show it. */
function oklch(lightness, chroma, hue) {
  for (let c = chroma; ; c -= 0.01) {
    const rgb = linearRgb(lightness, Math.max(c, 0), (hue * Math.PI) / 180);
    if (c <= 0 || rgb.every((v) => v > -0.0005 && v < 1.0005)) {
      return `rgb(${rgb.map((v) => Math.round(255 * gamma(Math.min(1, Math.max(0, v))))).join(",")})`;
    }
  }
}

function linearRgb(lightness, chroma, hue) {
  const a = chroma * Math.cos(hue), b = chroma * Math.sin(hue);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
}

function gamma(v) { return v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055; }

const SHADES = 6; // steps from a near limb to a far one

/** Colours of one hue: `solid` for marks, `stage` behind a figure, `ink` on `solid`, `near` and `calm` for limbs. */
function tintsOf(hue, step, dark) {
  const lift = [0, -0.055, 0.05][step % 3];
  const solid = dark ? [0.76 + lift, 0.125] : [0.6 + lift, 0.145];
  const stage = dark ? [0.225, 0.022] : [0.966, 0.016];
  const shades = (l, c, far) => Array.from({ length: SHADES }, (_, k) => {
    const away = (k / (SHADES - 1)) * far;
    return oklch(l + (stage[0] - l) * away, c * (1 - 0.6 * away), hue);
  });
  return {
    solid: oklch(...solid, hue),
    stage: oklch(...stage, hue),
    dots: oklch(stage[0] + (dark ? 0.17 : -0.13), stage[1] * 1.6, hue),
    shadow: oklch(stage[0] + (dark ? -0.13 : -0.14), stage[1] * 1.4, hue),
    ink: dark ? oklch(0.19, 0.03, hue) : "rgb(255,255,255)",
    text: dark ? oklch(0.84, 0.09, hue) : oklch(0.45, 0.12, hue),
    near: shades(dark ? 0.8 : 0.58, dark ? 0.135 : 0.16, 0.42),
    calm: shades(dark ? 0.62 : 0.5, 0.022, 0.5),
  };
}

/** Colours for every group of a view; `none` is for what belongs to no motif. */
function coloursOf(view, dark) {
  const place = new Map(view.order.map((motif, k) => [motif, k])), count = view.order.length;
  const groups = view.groups.map((g) => {
    const k = place.get(g.head);
    return tintsOf(28 + (360 * k) / Math.max(count, 3), count > 8 ? k : 0, dark);
  });
  const none = tintsOf(255, 0, dark);
  none.solid = dark ? oklch(0.45, 0.012, 255) : oklch(0.8, 0.01, 255);
  none.stage = dark ? oklch(0.205, 0.008, 255) : oklch(0.968, 0.004, 255);
  return { groups, none };
}
