export type Rectangle = { readonly x: number; readonly y: number; readonly width: number; readonly height: number };

const WANTED = { width: 1_180, height: 780 };

/**
 * Where the window opens: where it was, when enough of it is on a screen that is there; else in the middle of the
 * first screen, never larger than what that screen has to give (1366 x 768 at 150 % leaves 910 x 472). Pure.
 */
export function placeWindow(remembered: Rectangle | null, screens: readonly Rectangle[]): Rectangle {
  const home = screens.find((screen) => remembered !== null && isGraspable(remembered, screen));
  const screen = home ?? screens[0] ?? { x: 0, y: 0, ...WANTED };
  const width = Math.min(remembered?.width ?? WANTED.width, screen.width);
  const height = Math.min(remembered?.height ?? WANTED.height, screen.height);
  if (home === undefined || remembered === null) {
    return {
      x: screen.x + Math.round((screen.width - width) / 2),
      y: screen.y + Math.round((screen.height - height) / 2),
      width,
      height,
    };
  }
  return {
    x: clamp(remembered.x, screen.x, screen.x + screen.width - width),
    y: clamp(remembered.y, screen.y, screen.y + screen.height - height),
    width,
    height,
  };
}

/** At least a corner that a hand can take hold of. */
function isGraspable(window: Rectangle, screen: Rectangle): boolean {
  const overlap = (a: number, aSize: number, b: number, bSize: number): number =>
    Math.min(a + aSize, b + bSize) - Math.max(a, b);
  return (
    overlap(window.x, window.width, screen.x, screen.width) >= 100 &&
    overlap(window.y, window.height, screen.y, screen.height) >= 50
  );
}

const clamp = (value: number, least: number, most: number): number => Math.min(Math.max(value, least), most);
