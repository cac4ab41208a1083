/**
 * Colours: one for each series, told apart also by people who see few colours, on light and on dark; a scale from dark to light
 * for amounts (viridis, by van der Walt and Smith, in 17 of its colours); a circle of one lightness for angles.
 */

/** Red, green, blue, 0 to 255. */
export type Rgb = readonly [number, number, number];

/** A colour on light ground, on dark ground, and of the 256 that most terminals have. */
export interface SeriesColour {
  readonly light: string;
  readonly dark: string;
  readonly terminal: number;
}

/** After Okabe and Ito, the pale ones made darker on light ground. */
export const SERIES_COLOURS: readonly SeriesColour[] = [
  { light: "#0068a8", dark: "#5ab4f0", terminal: 39 },
  { light: "#c84e00", dark: "#ff8f4a", terminal: 208 },
  { light: "#00835f", dark: "#2cc79b", terminal: 36 },
  { light: "#a8518a", dark: "#e08fc4", terminal: 175 },
  { light: "#8a7000", dark: "#e6c229", terminal: 178 },
  { light: "#5b4bb5", dark: "#a79bf0", terminal: 141 },
  { light: "#a8323e", dark: "#f07a84", terminal: 167 },
  { light: "#3f7d20", dark: "#9bd36a", terminal: 113 },
  { light: "#007f8c", dark: "#4fd0dc", terminal: 80 },
  { light: "#7a5230", dark: "#d2a679", terminal: 137 },
  { light: "#555f6b", dark: "#b4bdc7", terminal: 145 },
  { light: "#8c2f7b", dark: "#d977c8", terminal: 170 },
];

const VIRIDIS = (
  "440154 48186a 472d7b 424086 3b528b 33638d 2c728e 26828e 21918c 1fa088 28ae80 3fbc73 5ec962 84d44b addc30 d8e219 fde725"
).split(" ").map((hex): Rgb => {
  const number = parseInt(hex, 16);
  return [number >> 16, (number >> 8) & 255, number & 255];
});

/** The colour of a fraction from 0 to 1 of a range of amounts. */
export function amountColour(fraction: number): Rgb {
  const at = Math.max(0, Math.min(1, fraction)) * (VIRIDIS.length - 1);
  const below = Math.min(VIRIDIS.length - 2, Math.floor(at)), part = at - below;
  const [a, b] = [VIRIDIS[below]!, VIRIDIS[below + 1]!];
  return [0, 1, 2].map((i) => Math.round(a[i]! + (b[i]! - a[i]!) * part)) as unknown as Rgb;
}

const LIGHTNESS = 0.68, CHROMA = 0.13, FIRST_HUE = 250;

/** The colour of a fraction from 0 to 1 of a circle: OKLCH (Ottosson, 2020) of one lightness and chroma. */
export function angleColour(fraction: number): Rgb {
  const hue = (FIRST_HUE / 360 + fraction) * 2 * Math.PI;
  const a = CHROMA * Math.cos(hue), b = CHROMA * Math.sin(hue);
  const l = (LIGHTNESS + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (LIGHTNESS - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (LIGHTNESS - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ].map((linear) => {
    const value = Math.max(0, Math.min(1, linear));
    return Math.round(255 * (value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055));
  }) as unknown as Rgb;
}

/** The nearest of the 216 colours of the cube that terminals have, as their number. */
export function cubeColour([red, green, blue]: Rgb): number {
  const level = (value: number) => value < 48 ? 0 : value < 115 ? 1 : Math.floor((value - 35) / 40);
  return 16 + 36 * level(red) + 6 * level(green) + level(blue);
}
